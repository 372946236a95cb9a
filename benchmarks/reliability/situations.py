"""Situations of the command line: arguments that are plausible but wrong, and folders with more than photos."""

import json
import resource
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from annotated_photos import Annotated, error_percent
from detecting import Release, write_image
from PIL import Image

from rdrface.face import Face

DISK_LIMIT = 4096
"""Maximum size of a file in the situation of a full disk, bytes."""

_WIDTH = 110
"""Maximum length of a printed message."""


@dataclass
class Run:
    """One call of `rdrface detect`.

    Attributes:
        status: exit status.
        images: number of images in the JSON, None without a JSON.
        faces: faces in the JSON.
        printed: standard output.
        message: last line of standard error, else of standard output.
    """

    status: int
    images: int | None
    faces: list[Face]
    printed: str
    message: str


def measure(release: Release, face: Annotated, folder: Path) -> str:
    """Run every situation in a folder of its own; the text to print."""
    lines = [f"Command line; {release.version()}"]
    for i, (name, situation) in enumerate(SITUATIONS.items()):
        into = folder / f"{i:02d}"
        into.mkdir()
        write_image(into / "photo.png", face.pixels)
        run, note = situation(release, face, into)
        counted = "no JSON" if run.images is None else f"{run.images} images, {len(run.faces)} faces"
        lines += [name, f"    exit status {run.status}, {counted}{note and f'; {note}'}"]
        if run.message:
            lines.append(f"    {run.message}")
    return "\n".join(lines)


def call(
    release: Release, into: Path, *arguments: str, encoding: str = "utf-8", file_limit: int = resource.RLIM_INFINITY
) -> Run:
    """Run `rdrface detect` in a folder, and read faces.json if it wrote this file.

    Args:
        release: the release.
        into: working folder of the process.
        arguments: of `rdrface detect`.
        encoding: of the terminal.
        file_limit: maximum size of the files that the process can write, bytes.
    """
    done = subprocess.run(
        [*release.command, "detect", *arguments],
        cwd=into,
        env={**release.environment, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit)),
    )
    errors, printed = (stream.decode("utf-8", "replace").strip() for stream in (done.stderr, done.stdout))
    message = (errors or printed).splitlines()[-1] if errors or printed else ""
    path = into / "faces.json"
    images: int | None = None
    faces: list[Face] = []
    if path.is_file():
        content = json.loads(path.read_text(encoding="utf-8"))
        entries = content.get("images", content.get("photos", []))
        images, faces = len(entries), [Face.from_dict(face) for entry in entries for face in entry["faces"]]
    short = message if len(message) <= _WIDTH else f"{message[:_WIDTH]} ..."
    return Run(done.returncode, images, faces, printed, short)


def own_csv_as_boxes(release: Release, face: Annotated, into: Path) -> tuple[Run, str]:
    """The CSV that a release wrote is its box file."""
    call(release, into, "photo.png", "--csv", "own.csv")
    run = call(release, into, "photo.png", "--boxes", "own.csv", "--json", "faces.json")
    return run, _error(run, face)


def boxes_in_fractions(release: Release, face: Annotated, into: Path) -> tuple[Run, str]:
    """The true box, divided by the size of the image."""
    height, width = face.pixels.shape[:2]
    return _with_box(release, face, face.box / [width, height, width, height], into)


def boxes_outside(release: Release, face: Annotated, into: Path) -> tuple[Run, str]:
    """The true box, ten image widths to the right."""
    shift = np.array([10 * face.pixels.shape[1], 0])
    return _with_box(release, face, face.box + np.tile(shift, 2), into)


def mixed_folder(release: Release, face: Annotated, into: Path) -> tuple[Run, str]:
    """A folder with a photo, files of other kinds, a hidden file, and a link to a folder with a photo."""
    linked = into / "elsewhere"
    linked.mkdir()
    write_image(linked / "linked.png", face.pixels)
    mixed = into / "mixed"
    mixed.mkdir()
    (into / "photo.png").rename(mixed / "photo.png")
    for name in ("phone.HEIC", "new.jxl", "video.mp4", "notes.txt", "._photo.png"):
        (mixed / name).write_bytes(b"\0\0\0\x18ftypheic")
    (mixed / "link").symlink_to(linked, target_is_directory=True)
    return call(release, into, "mixed", "--json", "faces.json"), ""


def overlays_among_photos(release: Release, face: Annotated, into: Path) -> tuple[Run, str]:
    """Overlays are written into the folder of the photos, and the folder is read again."""
    call(release, into, ".", "-o", ".", "--draw")
    return call(release, into, ".", "--json", "faces.json"), ""


def fewer_faces(release: Release, face: Annotated, into: Path) -> tuple[Run, str]:
    """The photo is replaced by one without faces, and the run is repeated with --overwrite."""
    arguments = ("photo.png", "-o", "out", "--mesh", "--draw", "--overwrite")
    call(release, into, *arguments)
    write_image(into / "photo.png", np.full_like(face.pixels, 128))
    run = call(release, into, *arguments)
    return run, f"{len(list((into / 'out').glob('*.obj')))} mesh files remain"


def full_disk(release: Release, face: Annotated, into: Path) -> tuple[Run, str]:
    """Files cannot grow beyond `DISK_LIMIT`: the JSON of the photo and its mesh do not fit."""
    run = call(release, into, "photo.png", "-o", "out", "--mesh", file_limit=DISK_LIMIT)
    files = [path for path in (into / "out").rglob("*") if path.is_file()]
    return run, f"{len(files)} cut files remain"


def unprintable_name(release: Release, face: Annotated, into: Path) -> tuple[Run, str]:
    """A Chinese name on a console with code page 1252, and another photo after it in the alphabet."""
    (into / "photo.png").rename(into / "\u5199\u771f.png")
    write_image(into / "z.png", face.pixels)
    run = call(release, into, ".", encoding="cp1252")
    return run, f"{run.printed.count('.png: ')} of 2 images on standard output"


def many_pages(release: Release, face: Annotated, into: Path) -> tuple[Run, str]:
    """A TIFF file of two pages."""
    page = Image.fromarray(face.pixels)
    page.save(into / "scan.tiff", save_all=True, append_images=[page])
    return call(release, into, "scan.tiff", "--json", "faces.json"), ""


def photo_without_face(release: Release, face: Annotated, into: Path) -> tuple[Run, str]:
    """The CSV of a photo without a face."""
    write_image(into / "photo.png", np.full_like(face.pixels, 128))
    run = call(release, into, "photo.png", "--csv", "own.csv")
    return run, f"{len((into / 'own.csv').read_text(encoding='utf-8').splitlines()) - 1} rows in the CSV"


def _with_box(release: Release, face: Annotated, box: np.ndarray, into: Path) -> tuple[Run, str]:
    (into / "boxes.json").write_text(json.dumps({"photo.png": [box.tolist()]}), encoding="utf-8")
    run = call(release, into, "photo.png", "--boxes", "boxes.json", "--json", "faces.json")
    return run, _error(run, face)


def _error(run: Run, face: Annotated) -> str:
    errors = [error_percent(found.landmarks, face.points, face.size) for found in run.faces]
    return ", ".join(
        f"error {error:.0f} % of the face size, score {found.score:.2f}"
        for error, found in zip(errors, run.faces, strict=True)
    )


SITUATIONS: dict[str, Callable[[Release, Annotated, Path], tuple[Run, str]]] = {
    "--boxes with the CSV of rdrface": own_csv_as_boxes,
    "--boxes with a box in 0..1": boxes_in_fractions,
    "--boxes with a box outside the image": boxes_outside,
    "a folder with a photo, HEIC, JPEG XL, video, text, ._photo.png and a linked folder with a photo": mixed_folder,
    "a folder of a photo whose overlay was written into it": overlays_among_photos,
    "the same photo again, now without a face, with --overwrite": fewer_faces,
    "a full disk": full_disk,
    "a name that the console cannot print": unprintable_name,
    "a TIFF file of two pages": many_pages,
    "a photo without a face, to CSV": photo_without_face,
}
"""Description -> situation."""
