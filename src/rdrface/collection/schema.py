"""The columns of the table of a collection: names, types, units and meaning."""

from typing import TYPE_CHECKING

from rdrface.face import packaged_model
from rdrface.recording.face_columns import face_fields, import_pyarrow

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 1
"""Version of the columns. It changes if a column is renamed or removed or gets another meaning, not if one is added."""

_PHOTO_COLUMNS = {
    "image_index": ("int64", "", "number of the photo in the run, 0, 1, ...; the same in all rows of a photo"),
    "source": ("string", "", "folder, list, shard or table as on the command line; null: a file that was named there"),
    "image": ("string", "", "path relative to the folder, entry of the list, or name in the shard or table"),
    "status": ("string", "", "face, no face, or failed"),
    "error": ("string", "", "why the photo could not be read; null if the status is not failed"),
    "width": ("int32", "px", "width of the upright image"),
    "height": ("int32", "px", "height of the upright image"),
    "num_frames": ("int32", "", "pages or frames in the file, of which the first was used"),
    "num_faces": ("int32", "", "number of faces in the photo"),
    "dropped": ("int32", "", "number of detections with an expected error above the limit, which have no row"),
    "face_index": ("int32", "", "number of the face in the photo, 0, 1, ...; null if the status is not face"),
}
"""Column -> Arrow type, unit and meaning."""

REQUIRED = frozenset({"image_index", "status"})
"""Columns without null."""

_FACE_COLUMNS = {
    "score": ("", "score of the detector, 0..1"),
    "expected_error": ("% of face size", "mean of uncertainty"),
    "yaw": ("degrees", "positive: the nose points to the right of the image"),
    "pitch": ("degrees", "positive: the nose points down"),
    "roll": ("degrees", "positive: counterclockwise as seen by someone whom the face looks at"),
    "box": ("px", "x0, y0, x1, y1 of the landmark box that the detector estimated"),
    "landmarks": ("px", "x, y of the 68 points; contour on the visible outline"),
    "landmarks_jawline": ("px", "x, y of the 68 points; contour on the jawline, also where it is hidden"),
    "landmarks_3d": ("px", "x, y, z of the 68 points of the 3D face"),
    "projection": ("px", "x, y of the projected points of the 3D face; contour on the visible outline"),
    "visibility": ("", "probability that the point is visible, 0..1"),
    "uncertainty": ("% of face size", "expected distance of the landmark from its true position"),
    "rotation": ("", "3 x 3 rotation matrix, row by row"),
    "parameters_pose": ("rad, mm, px/mm", "pitch, yaw, roll, t_x, t_y, t_z, f"),
    "parameters_identity": ("", "coefficients of the identity; unit variance over people"),
    "parameters_expression": ("", "coefficients of the expression, nominally 0..1"),
    "custom_landmarks": ("px", "x, y of the points of the scheme that the weights were fine-tuned to"),
}
"""Column -> unit and meaning. The other columns are blendshapes."""

_BLENDSHAPE = ("", "blendshape of ARKit's name, 0..1")


def schema(num_custom: int = 0) -> "pa.Schema":
    """The columns. The unit and the description of each are in the metadata of its field.

    Args:
        num_custom: number of landmarks of the annotation scheme that the weights were fine-tuned to.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    pa = import_pyarrow("collection")
    fields = [
        pa.field(name, getattr(pa, kind)(), name not in REQUIRED, {"unit": unit, "description": text})
        for name, (kind, unit, text) in _PHOTO_COLUMNS.items()
    ]
    blendshapes = dict.fromkeys(packaged_model().expression_names, _BLENDSHAPE)
    for field in face_fields(num_custom, is_nullable=True):
        unit, text = (_FACE_COLUMNS | blendshapes)[field.name]
        fields.append(field.with_metadata({"unit": unit, "description": text}))
    return pa.schema(fields)
