"""The output folder of `rdrface detect`: NAME.json, NAME.overlay.jpg, NAME.face0.obj, NAME.face1.obj, ..."""

import io
import json
import re
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from rdrface._version import __version__
from rdrface.cli.inputs import Input
from rdrface.cli.outputs import Result
from rdrface.drawing import draw
from rdrface.errors import DataError, RdrError
from rdrface.files import write_aside
from rdrface.mesh_io import FORMATS

_JPEG_QUALITY = 95
_MAX_JPEG_SIDE = 65_500
"""Pixels, of the JPEG library."""


class OutputExists(RdrError):
    """An output file exists, and --overwrite was not given."""


@dataclass(frozen=True)
class FileKinds:
    """Kinds of files that are written for each image besides NAME.json.

    Attributes:
        overlay: NAME.overlay.jpg.
        overlay_mesh: draw the mesh in the overlay.
        mesh: NAME.face0.obj, ...
        mesh_format: "obj" or "ply".
    """

    overlay: bool = False
    overlay_mesh: bool = False
    mesh: bool = False
    mesh_format: str = "obj"


class OutputFolder:
    """Files per image: NAME.json, NAME.overlay.jpg, NAME.face0.obj, NAME.face1.obj, ...

    The files of an image are written together or not at all. With `overwrite`, they replace all files of the image: an
    overlay and meshes of an earlier run are removed.

    Args:
        folder: created if it does not exist.
        kinds: kinds of files to write.
        overwrite: replace existing files.
        protected: files that are never replaced or removed: the images of the run and its other outputs.
    """

    def __init__(self, folder: Path, kinds: FileKinds, overwrite: bool, protected: Iterable[Path]) -> None:
        self.folder = folder
        self._kinds = kinds
        self._overwrite = overwrite
        self._protected = {path.resolve() for path in protected}
        folder.mkdir(parents=True, exist_ok=True)

    def has_result(self, image: Input) -> bool:
        """Whether NAME.json has the faces of this image; False for a file that is not complete JSON.

        Raises:
            OutputExists: the file has the result of another image.
        """
        path = self._path(image, ".json")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            name = str(content["image"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        if name != image.name and (image.path is None or Path(name).resolve() != image.path.resolve()):
            raise OutputExists(f"{path} has the result of {name}; choose another folder with -o")
        return True

    def add(self, result: Result, pixels: np.ndarray) -> None:
        """Write the files of one image.

        Args:
            result: its faces.
            pixels: (H, W, 3) uint8 RGB.

        Raises:
            OutputExists: one of the files already exists; none of them is written.
            DataError: a file cannot be written.
        """
        at_json, at_overlay = (self._path(result.image, ending) for ending in (".json", ".overlay.jpg"))
        suffix = self._kinds.mesh_format
        meshes = {self._path(result.image, f".face{i}.{suffix}"): face for i, face in enumerate(result.faces)}
        targets = [at_json, *([at_overlay] if self._kinds.overlay else []), *(meshes if self._kinds.mesh else [])]
        for target in targets:
            if target.resolve() in self._protected or (target.exists() and not self._overwrite):
                raise OutputExists(f"{target} already exists; choose another folder with -o or pass --overwrite")
        stale = self._files_of_earlier_run(result.image).difference(targets) if at_json.exists() else set()
        at_json.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:
            # All files get their names when all are complete, in reverse order: NAME.json, which marks an image as
            # done, is the last one.
            text = json.dumps({"rdrface": __version__} | result.to_dict()) + "\n"
            opened.enter_context(write_aside(at_json)).write_text(text, encoding="utf-8")
            if self._kinds.overlay:
                content = _jpeg(draw(pixels, result.faces, mesh=self._kinds.overlay_mesh, axes=True))
                opened.enter_context(write_aside(at_overlay)).write_bytes(content)
            if self._kinds.mesh:
                for target, face in meshes.items():
                    partial = opened.enter_context(write_aside(target))
                    try:
                        face.mesh().save(partial)
                    except DataError as error:
                        raise DataError(str(error).replace(partial.name, target.name)) from error
        for path in stale:
            path.unlink(missing_ok=True)

    def _path(self, image: Input, ending: str) -> Path:
        base = self.folder / image.output
        return base.with_name(base.name + ending)

    def _files_of_earlier_run(self, image: Input) -> set[Path]:
        base = self.folder / image.output
        ours = re.compile(rf"{re.escape(base.name)}\.(overlay\.jpg|face\d+\.({'|'.join(FORMATS)}))")
        paths = {path for path in base.parent.iterdir() if ours.fullmatch(path.name)}
        return {path for path in paths if path.resolve() not in self._protected}


def _jpeg(image: np.ndarray) -> bytes:
    height, width = image.shape[:2]
    if max(height, width) > _MAX_JPEG_SIDE:
        raise RdrError(
            f"an overlay of {width} x {height} pixels cannot be written: JPEG allows {_MAX_JPEG_SIDE} pixels at most; "
            "leave out --draw or shrink the image"
        )
    content = io.BytesIO()
    Image.fromarray(image).save(content, "JPEG", quality=_JPEG_QUALITY, subsampling="4:4:4")
    return content.getvalue()
