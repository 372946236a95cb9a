"""The output folder of `rdrface detect`: NAME.json, NAME.overlay.jpg, NAME.face0.obj, NAME.face1.obj, ..."""

import io
import json
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from rdrface._version import __version__
from rdrface.cli.inputs import Input
from rdrface.cli.options import create_folder
from rdrface.cli.output_names import JSON_SUFFIX, OVERLAY_SUFFIX, head_suffix, mesh_suffix, overlays_and_meshes
from rdrface.cli.outputs import Result, read_result
from rdrface.drawing import draw
from rdrface.errors import DataError, RdrError
from rdrface.face import Face
from rdrface.files import real_path, write_aside
from rdrface.scene.glb import to_glb
from rdrface.scene.obj import to_obj
from rdrface.scene.shape import FacePose
from rdrface.scene.surface import Region
from rdrface.scene.texture import face_texture

_JPEG_QUALITY = 95
_MAX_JPEG_SIDE = 65_500
"""Pixels, of the JPEG library."""


_ADVICE = "choose another folder with -o"


class OutputExists(RdrError):
    """An output file exists and must not be replaced."""


@dataclass(frozen=True)
class FileKinds:
    """Kinds of files that are written for each image besides NAME.json.

    Attributes:
        overlay: NAME.overlay.jpg.
        overlay_mesh: draw the mesh in the overlay.
        mesh: NAME.face0.obj, ...
        mesh_format: "obj" or "ply".
        glb: NAME.head0.glb, ...
        obj: NAME.head0.obj, ..., with NAME.head0.mtl and NAME.head0.jpg.
        pose: state of these heads.
        region: part of the head that they contain.
    """

    overlay: bool = False
    overlay_mesh: bool = False
    mesh: bool = False
    mesh_format: str = "obj"
    glb: bool = False
    obj: bool = False
    pose: FacePose = "neutral"
    region: Region = "face"

    @property
    def head_formats(self) -> tuple[str, ...]:
        """Formats of the files of each head."""
        return (*(("glb",) if self.glb else ()), *(("obj", "mtl", "jpg") if self.obj else ()))


class OutputFolder:
    """Files per image: NAME.json, NAME.overlay.jpg, NAME.face0.obj, NAME.head0.glb, ...

    The files of an image are written together or not at all. With `overwrite`, they replace all files of the image: an
    overlay, meshes and heads of an earlier run are removed.

    Attributes:
        folder: the folder.
        num_images: number of images whose files were written.

    Args:
        folder: created if it does not exist, and removed by `close` if nothing was written into it.
        kinds: kinds of files to write.
        overwrite: replace existing files.
        protected: files that are never replaced or removed: the inputs of the run and its other outputs.

    Raises:
        ConfigError: the folder cannot be created.
    """

    def __init__(self, folder: Path, kinds: FileKinds, overwrite: bool, protected: Iterable[Path]) -> None:
        self.folder = folder
        self._kinds = kinds
        self._overwrite = overwrite
        self._protected = {real_path(path) for path in protected}
        self._new_folders = [path for path in (folder, *folder.parents) if not path.exists()]
        self.num_images = 0
        create_folder(folder, _ADVICE)

    def close(self) -> None:
        """Remove the folders that were created and are empty."""
        for path in self._new_folders:
            with suppress(OSError):  # it is not empty
                path.rmdir()

    def saved_result(self, image: Input) -> Result | None:
        """Read the complete JSON file with the faces of this image, under any of its names; None if there is none.

        Raises:
            OutputExists: the file that would be written has the result of another image.
        """
        for output in (image.output, *image.other_outputs):
            saved = read_result(self._path(output, JSON_SUFFIX))
            if saved is not None and saved.image.is_same(image):
                return replace(saved, image=image)
        path = self._path(image.output, JSON_SUFFIX)
        other = read_result(path)
        if other is not None:
            raise OutputExists(f"{path} has the result of {other.image.name}; {_ADVICE}")
        return None

    def add(self, result: Result, pixels: np.ndarray) -> None:
        """Write the files of one image.

        Args:
            result: its faces.
            pixels: (H, W, 3) uint8 RGB.

        Raises:
            OutputExists: one of the files exists and must not be replaced; none of them is written.
            ConfigError: a subfolder cannot be created.
            DataError: a file cannot be written.
        """
        output = result.image.output
        at_json, at_overlay = self._path(output, JSON_SUFFIX), self._path(output, OVERLAY_SUFFIX)
        mesh_format = self._kinds.mesh_format
        meshes = {self._path(output, mesh_suffix(i, mesh_format)): face for i, face in enumerate(result.faces)}
        targets = [at_json, *([at_overlay] if self._kinds.overlay else []), *(meshes if self._kinds.mesh else [])]
        faces, formats = range(len(result.faces)), self._kinds.head_formats
        targets += [self._path(output, head_suffix(i, one)) for i in faces for one in formats]
        for target in targets:
            if real_path(target) in self._protected:
                raise OutputExists(f"{target} is an input or another output of this run; {_ADVICE}")
            if self._is_existing(target) and not self._overwrite:
                raise OutputExists(f"{target} already exists; {_ADVICE} or pass --overwrite")
        stale = self._files_of_earlier_run(output).difference(targets) if at_json.exists() else set()
        create_folder(at_json.parent, _ADVICE)
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
            for i, face in enumerate(result.faces if self._kinds.head_formats else []):
                for head_format, content in self._head(output, i, face, pixels).items():
                    path = self._path(output, head_suffix(i, head_format))
                    opened.enter_context(write_aside(path)).write_bytes(content)
        self.num_images += 1
        for path in stale:
            path.unlink(missing_ok=True)

    def _head(self, output: str, number: int, face: Face, pixels: np.ndarray) -> dict[str, bytes]:
        """Format -> content of the files of a head."""
        kinds, content = self._kinds, {}
        texture = face_texture(face, pixels)
        if kinds.glb:
            content["glb"] = to_glb(face, texture=texture, pose=kinds.pose, region=kinds.region)
        if kinds.obj:
            name = self._path(output, head_suffix(number, "obj")).with_suffix("").name
            if len(f"{name}.".splitlines()) > 1:
                raise DataError(
                    "OBJ files cannot refer to a name with a line break; rename the image or leave out --obj"
                )
            content |= to_obj(name, face, texture=texture, pose=kinds.pose, region=kinds.region)
        return content

    def _is_existing(self, target: Path) -> bool:
        try:
            return target.exists()
        except OSError as error:
            raise DataError(f"cannot write {target}: {error.strerror or error}; rename the image") from error

    def _path(self, output: str, suffix: str) -> Path:
        base = self.folder / output
        return base.with_name(base.name + suffix)

    def _files_of_earlier_run(self, output: str) -> set[Path]:
        base = self.folder / output
        paths = overlays_and_meshes(base, base.parent.iterdir())
        return {path for path in paths if real_path(path) not in self._protected}


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
