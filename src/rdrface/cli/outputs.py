"""Outputs of `rdrface detect`: one JSON or CSV file for all images, and files per image in a folder."""

import csv
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np

from rdrface._version import __version__
from rdrface.cli.inputs import Failure, Input
from rdrface.drawing import draw
from rdrface.errors import RdrError
from rdrface.face import Face
from rdrface.files import write_aside
from rdrface.landmarks import NUM_LANDMARKS

STDOUT = "-"
_JPEG_QUALITY = 95

CSV_COLUMNS = (
    *("image", "face", "box_x0", "box_y0", "box_x1", "box_y1", "score", "yaw", "pitch", "roll"),
    *(f"{axis}{i}" for i in range(NUM_LANDMARKS) for axis in "xy"),
    *(f"visibility{i}" for i in range(NUM_LANDMARKS)),
    *(f"uncertainty{i}" for i in range(NUM_LANDMARKS)),
)
"""Columns of the CSV file: angles in degrees, `Face.landmarks` in image pixels, uncertainty in percent."""


class OutputExists(RdrError):
    """An output file exists, and --overwrite was not given."""


def record(image: Input, pixels: np.ndarray, faces: Sequence[Face]) -> dict[str, Any]:
    """The JSON object of one image."""
    height, width = pixels.shape[:2]
    return {"image": image.name, "width": width, "height": height, "faces": [face.to_dict() for face in faces]}


def summary(image: Input, faces: Sequence[Face]) -> str:
    """The text printed for one image if there is no output file."""
    lines = [f"{image.name}: {len(faces)} face{'' if len(faces) == 1 else 's'}"]
    for i, face in enumerate(faces):
        x0, y0, x1, y1 = face.box.tolist()
        lines.append(
            f"  {i}: box {x0:.0f} {y0:.0f} {x1:.0f} {y1:.0f}, score {face.score:.2f}, yaw {face.pose.yaw:+.1f}, "
            f"pitch {face.pose.pitch:+.1f}, roll {face.pose.roll:+.1f}, "
            f"{int((face.visibility > 0.5).sum())} of {NUM_LANDMARKS} points visible, "
            f"expected error {face.uncertainty.mean():.1f} % of the face size"
        )
    return "\n".join(lines)


class _Stream:
    """Standard output, or a text file that has a temporary name until it is complete."""

    def __init__(self, target: str, overwrite: bool) -> None:
        self.file: TextIO = sys.stdout
        self._opened = ExitStack()
        if target == STDOUT:
            return
        path = Path(target)
        if path.exists() and not overwrite:
            raise OutputExists(f"{path} exists; name another file or pass --overwrite")
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:
            partial = opened.enter_context(write_aside(path))
            self.file = opened.enter_context(partial.open("w", encoding="utf-8", newline=""))
            # The file stays open for `add`.
            self._opened = opened.pop_all()

    def close(self) -> None:
        self.file.flush()
        self._opened.close()


class JSONOutput:
    """One JSON object for all images, with one line per image."""

    def __init__(self, target: str, overwrite: bool) -> None:
        self._stream = _Stream(target, overwrite)
        self._stream.file.write(f'{{"rdrface": {json.dumps(__version__)}, "images": [')
        self._separator = "\n"

    def add(self, entry: dict[str, Any], faces: Sequence[Face]) -> None:
        """Write one image."""
        self._stream.file.write(self._separator + json.dumps(entry, separators=(",", ":")))
        self._separator = ",\n"

    def close(self, failures: Sequence[Failure]) -> None:
        """Write the failures and close the file."""
        failed = [{"image": failure.name, "error": failure.reason} for failure in failures]
        self._stream.file.write(f'\n], "failed": {json.dumps(failed)}}}\n')
        self._stream.close()


class CSVOutput:
    """One line per face; images without faces have no line."""

    def __init__(self, target: str, overwrite: bool) -> None:
        self._stream = _Stream(target, overwrite)
        self._writer = csv.writer(self._stream.file, lineterminator="\n")
        self._writer.writerow(CSV_COLUMNS)

    def add(self, entry: dict[str, Any], faces: Sequence[Face]) -> None:
        """Write the faces of one image."""
        for i, face in enumerate(faces):
            numbers = [*face.box, face.score, face.pose.yaw, face.pose.pitch, face.pose.roll]
            numbers += [*face.landmarks.ravel(), *face.visibility, *face.uncertainty]
            self._writer.writerow([entry["image"], i, *(f"{float(number):.4f}" for number in numbers)])

    def close(self, failures: Sequence[Failure]) -> None:
        """Close the file."""
        self._stream.close()


class FolderOutput:
    """Files per image: NAME.json, NAME.overlay.jpg, NAME.face0.obj, NAME.face1.obj, ...

    Args:
        folder: created if it does not exist.
        draw: write NAME.overlay.jpg.
        mesh: write NAME.face0.obj, ...
        mesh_format: "obj" or "ply".
        overwrite: replace existing files; input images are never replaced.
        inputs: all images of the run.
    """

    def __init__(
        self, folder: Path, draw: bool, mesh: bool, mesh_format: str, overwrite: bool, inputs: Sequence[Input]
    ) -> None:
        self._folder = folder
        self._draw, self._mesh, self._mesh_format = draw, mesh, mesh_format
        self._overwrite = overwrite
        self._inputs = {image.path.resolve() for image in inputs if image.path}
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, image: Input, entry: dict[str, Any], pixels: np.ndarray, faces: Sequence[Face]) -> None:
        """Write the files of one image.

        Raises:
            OutputExists: one of the files already exists; none of them is written.
        """
        base = self._folder / image.output
        at_json, at_overlay = (base.with_name(base.name + ending) for ending in (".json", ".overlay.jpg"))
        at_meshes = [base.with_name(f"{base.name}.face{i}.{self._mesh_format}") for i in range(len(faces))]
        targets = [at_json, *([at_overlay] if self._draw else []), *(at_meshes if self._mesh else [])]
        for target in targets:
            if target.resolve() in self._inputs or (target.exists() and not self._overwrite):
                raise OutputExists(f"{target} already exists; choose another folder with -o or pass --overwrite")
        base.parent.mkdir(parents=True, exist_ok=True)
        with write_aside(at_json) as partial:
            partial.write_text(json.dumps({"rdrface": __version__} | entry) + "\n", encoding="utf-8")
        if self._draw:
            content = _jpeg(draw(pixels, faces, mesh=self._mesh, axes=True))
            with write_aside(at_overlay) as partial:
                partial.write_bytes(content)
        if self._mesh:
            for target, face in zip(at_meshes, faces, strict=True):
                face.mesh().save(target)


def _jpeg(image: np.ndarray) -> bytes:
    ok, content = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not ok:
        raise RdrError(f"OpenCV could not encode an image of {image.shape[1]} x {image.shape[0]} pixels")
    return content.tobytes()
