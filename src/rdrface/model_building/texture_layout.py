"""Texture coordinates for exported heads: one island without seams for the head, and one for each eyeball.

The texture coordinates of MakeHuman have seams at the lips, the eyelids, the jaw and the top of the head, and the face
covers a tenth of the texture. The head mesh has a single opening, so it can be flattened as a whole: its border becomes
a circle, and every other vertex is a weighted mean of its neighbors (Tutte 1963, with the mean value coordinates of
Floater 2003). With positive weights, no triangle is flipped. The weights are then reduced where the mesh is stretched
(Yoshizawa, Belyaev and Seidel 2004), so the face has about the same resolution everywhere.

python -m rdrface.model_building.texture_layout
"""

import numpy as np
from safetensors.numpy import save
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import spsolve

from rdrface.drawing.face_region import FaceRegion, connected
from rdrface.face_rendering.head import Head
from rdrface.files import write_aside
from rdrface.geometry.smoothstep import smoothstep
from rdrface.morphable.model import FaceModel
from rdrface.scene.layout import PACKAGED, TextureLayout
from rdrface.scene.mouth import Mouth

_MOUTH_DEPTH = 0.25
"""Depth of the mouth cavity for the layout, as a fraction of the model's."""

_MOUTH_OPEN = 0.5
"""jawOpen of the shape whose mouth cavity is laid out."""

_LIPS = 1
"""Rings of vertices around the mouth cavity that are laid out with it: their border is convex enough that no triangle
is flipped."""

_CAVITY_DENSITY = 0.6
_TEETH_DENSITY = 4.0
_BACK_DENSITY = 0.35
"""Resolution of the mouth cavity, of the teeth and of the back of the head, relative to that of the face."""

_FADING = 60.0
"""mm from the border of the face region over which the resolution decreases to `_BACK_DENSITY`."""

_ROUNDS = 8
_RADIUS = 0.485
"""Radius of the island of the head, in units of the texture."""

_EYE_RADIUS = 0.078
_EYE_CENTERS = ((0.087, 0.913), (0.913, 0.913))
"""Islands of the eyeballs, in two corners of the texture outside the island of the head."""

_BACK = -106.0
"""z of the plane that cuts the head region at the back, in front of the jagged border of the mesh; mm."""

_NECK = ((-62.0, -106.0), (-86.0, -45.0))
"""Two points (y, z) of the plane that cuts the neck, above the jagged border; mm."""

_BEND = 12.0
"""Radius of the bend between the two planes, mm."""

_EARS_X, _EARS_LOW, _EARS_HIGH = (78.0, 84.0), (-25.0, -12.0), (60.0, 72.0)
"""The ears reach behind the plane at the back. An ear begins at this |x|, at this y below and at this y above. Each
pair is the beginning and the end of a smooth step; mm."""

_EARS_DEPTH = 60.0
"""mm behind the plane at the back that are kept at the ears."""


def main() -> None:
    """Write the packaged layout."""
    model = FaceModel.load()
    layout = texture_layout(model)
    arrays = {name: np.ascontiguousarray(value) for name, value in vars(layout).items()}
    PACKAGED.parent.mkdir(parents=True, exist_ok=True)
    with write_aside(PACKAGED) as partial:
        partial.write_bytes(save(arrays))
    print(f"{PACKAGED}: {PACKAGED.stat().st_size / 1000:.0f} kB")


def texture_layout(model: FaceModel) -> TextureLayout:
    """Compute the layout of a face model with one opening; takes a few seconds."""
    head = Head.of(model)
    region = FaceRegion.of(model)
    eyes = connected(model.triangles, model.triangles[model.points["eye_centers"].triangle].ravel(), len(model.mean))
    inside_face = region.inside(model.mean).astype(np.float64)
    density = np.clip(1 + inside_face / _FADING, _BACK_DENSITY, 1)
    density[head.mouth_cavity] = _CAVITY_DENSITY
    opened = head.open_shape.astype(np.float64)
    membrane = head.with_membrane(opened)
    flattened = membrane + _MOUTH_DEPTH * (opened - membrane)
    uv = _flatten(flattened, model.triangles[~eyes[model.triangles].any(axis=1)], head.rim.vertices, density)
    in_cavity = head.mouth_cavity[model.triangles].any(axis=1)
    # Without the holes: single vertices that only triangles of the cavity share.
    mouth_cavity = np.isin(np.arange(len(uv)), model.triangles[in_cavity])
    mouth_cavity[model.triangles[~in_cavity]] = False
    mouth_cavity |= head.mouth_cavity
    uv = _with_mouth(model, mouth_cavity, uv)
    # Exactly symmetric, so that a mirrored texture is the texture of the mirrored face.
    uv = (uv + uv[model.mirror_vertices] * [-1, 1]) / 2
    uv = 0.5 + _RADIUS * uv * [1, -1]
    for side, center in ((model.mean[:, 0] < 0, _EYE_CENTERS[0]), (model.mean[:, 0] > 0, _EYE_CENTERS[1])):
        eye = eyes & side
        low, high = model.mean[eye, :2].min(axis=0), model.mean[eye, :2].max(axis=0)
        relative = (model.mean[eye, :2] - (low + high) / 2) / ((high - low).max() / 2)
        uv[eye] = center + _EYE_RADIUS * relative * [1, -1]
    kept = eyes | mouth_cavity
    distances = {"inside_face": inside_face, "inside_head": _inside_head(model.mean)}
    return TextureLayout(
        uv=uv.astype(np.float32),
        mouth_cavity=mouth_cavity,
        eyes=eyes,
        **{name: np.where(kept, 100, value).astype(np.float32) for name, value in distances.items()},
    )


def _inside_head(vertices: np.ndarray) -> np.ndarray:
    """(V,) mm, distance to the border of the head region, negative outside: two planes, except at the ears."""
    x, y, z = np.abs(vertices[:, 0]), vertices[:, 1], vertices[:, 2]
    ears = smoothstep(x, *_EARS_X) * smoothstep(y, *_EARS_LOW) * (1 - smoothstep(y, *_EARS_HIGH))
    behind, below = np.array(_NECK[0]), np.array(_NECK[1])
    along = (below - behind) / np.linalg.norm(below - behind)
    planes = (z - _BACK + _EARS_DEPTH * ears, (y - behind[0]) * along[1] - (z - behind[1]) * along[0])
    smooth_minimum: np.ndarray = -_BEND * np.logaddexp(-planes[0] / _BEND, -planes[1] / _BEND)
    return smooth_minimum


def _with_mouth(model: FaceModel, mouth_cavity: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Lay out the mouth again, inside the lips as they are: with the teeth, at a high resolution."""
    mouth = Mouth.of(model, mouth_cavity)
    jaw_open = model.expression_names.index("jawOpen")
    vertices = (mouth.mean(model) + _MOUTH_OPEN * mouth.expression_basis(model)[jaw_open]).astype(np.float64)
    density = np.full(len(vertices), _CAVITY_DENSITY)
    density[mouth.row > 0] = _TEETH_DENSITY
    inner = mouth_cavity.copy()
    for _ in range(_LIPS):
        inner[model.triangles[inner[model.triangles].any(axis=1)]] = True
    density[inner & ~mouth_cavity] = 1
    triangles = model.triangles[inner[model.triangles].any(axis=1)]
    rim = np.setdiff1d(triangles, np.flatnonzero(inner))
    return np.where(inner[:, None], _interior(vertices, triangles, rim, uv[rim], density), uv)


def _flatten(vertices: np.ndarray, triangles: np.ndarray, rim: np.ndarray, density: np.ndarray) -> np.ndarray:
    """(V, 2) positions in the unit disc, y up; 0 for vertices without triangles."""
    top = int(np.argmax(np.where(np.abs(vertices[rim, 0]) < 1e-6, vertices[rim, 1], -np.inf)))
    rim = np.roll(rim, -top)
    edges = np.linalg.norm(np.roll(vertices[rim], -1, axis=0) - vertices[rim], axis=1)
    turn = 2 * np.pi * (np.cumsum(edges) - edges) / edges.sum()
    around = np.sign(vertices[rim[1], 0]) * turn
    circle = np.stack([np.sin(around), np.cos(around)], axis=1)
    return _interior(vertices, triangles, rim, circle, density)


def _interior(
    vertices: np.ndarray, triangles: np.ndarray, rim: np.ndarray, border: np.ndarray, density: np.ndarray
) -> np.ndarray:
    """(V, 2) positions of all vertices of the triangles, from those of their rim (R, 2); 0 elsewhere."""
    weights = _mean_value_weights(vertices, triangles)
    inner = np.setdiff1d(np.unique(triangles), rim)
    best = None
    for _ in range(_ROUNDS):
        uv = np.zeros((len(vertices), 2))
        uv[rim] = border
        rows = weights[inner]
        system = diags_array(np.asarray(rows.sum(axis=1)).ravel()) - rows[:, inner]
        uv[inner] = spsolve(system.tocsc(), rows[:, rim] @ border)
        stretch, total = _stretch(uv, vertices, triangles, density)
        if best is None or total < best[0]:
            best = total, uv
        weights = csr_array(weights @ diags_array(1 / np.maximum(stretch / stretch.mean(), 1e-3)))
    assert best is not None
    return best[1]


def _mean_value_weights(vertices: np.ndarray, triangles: np.ndarray) -> csr_array:
    rows, columns, values = [], [], []
    for k in range(3):
        i, j, other = (triangles[:, (k + step) % 3] for step in range(3))
        a, b = vertices[j] - vertices[i], vertices[other] - vertices[i]
        length_a, length_b = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
        half = np.arccos(np.clip((a * b).sum(axis=1) / (length_a * length_b), -1, 1)) / 2
        rows += [i, i]
        columns += [j, other]
        values += [np.tan(half) / length_a, np.tan(half) / length_b]
    shape = (len(vertices), len(vertices))
    return csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)


def _stretch(
    uv: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, density: np.ndarray
) -> tuple[np.ndarray, float]:
    """Stretch of Sander et al. (2001) at each vertex, 0 where there is no triangle, and over the whole mesh."""
    corners = vertices[triangles] * density[triangles].mean(axis=1)[:, None, None]
    edges = np.stack([uv[triangles[:, 1]] - uv[triangles[:, 0]], uv[triangles[:, 2]] - uv[triangles[:, 0]]], axis=1)
    jacobian = np.linalg.inv(edges) @ np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=1)
    square = (jacobian**2).sum(axis=(1, 2)) / 2
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    index, count = triangles.ravel(), len(vertices)
    total = np.bincount(index, np.repeat(area * square, 3), count)
    weight = np.bincount(index, np.repeat(area, 3), count)
    return np.sqrt(total / np.maximum(weight, 1e-12)), float((area * square).sum() / area.sum())


if __name__ == "__main__":
    main()
