"""Makes the web page that works without a server: a folder of static files that any web server can serve.

python tools/build_web.py out/web

The page finds faces in the browser with onnxruntime-web, which npm downloads, and the light weights.
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from rdrface.cli.script import reports_errors
from rdrface.web import CONTENT_SECURITY_POLICY, STATIC
from rdrface.web.face_model import packaged_face_model_file

ORT = "onnxruntime-web@1.30.0"
ORT_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
WEIGHTS = STATIC.parents[1] / "weights"
WEIGHT_FILES = ("rdr_lite.onnx", "rdr_lite.safetensors", "retinaface.onnx", "retinaface.LICENSE")
ENGINE = '<meta name="rdrface-engine" content="{}">'
# A policy in the page itself cannot forbid frames.
POLICY = CONTENT_SECURITY_POLICY.replace("'self';", "'self' 'wasm-unsafe-eval';", 1).replace(
    "; frame-ancestors 'none'", ""
)


@reports_errors
def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="folder to write; it must not exist, or be such a folder"
    )
    folder = parser.parse_args().folder
    if folder.exists() and not (folder / "face_model.bin").exists():
        parser.error(f"{folder} exists and is not a folder that this tool wrote: name another one")
    if folder.exists() and (other := sorted({path.name for path in folder.iterdir()} - names_in_page())):
        parser.error(f"{folder} has other files, for example {other[0]}, which would be lost: name another folder")
    if shutil.which("npm") is None:
        parser.error("npm is missing, which downloads onnxruntime-web: install Node.js")
    build(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.1f} MB. To try it: python -m http.server --bind 127.0.0.1 --directory {folder}")


def names_in_page() -> set[str]:
    """Names of the files and folders that the tool writes."""
    return {path.name for path in STATIC.iterdir()} | {"weights", "ort", "face_model.bin"}


def build(folder: Path) -> None:
    """Write the folder; an older one is replaced when the new one is complete."""
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".rdrface-", dir=folder.parent) as temporary:
        complete = Path(temporary) / "new"
        _write(complete)
        if folder.exists():
            folder.rename(Path(temporary) / "old")
        complete.rename(folder)


def _write(folder: Path) -> None:
    shutil.copytree(STATIC, folder)
    page = folder / "index.html"
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    text = page.read_text(encoding="utf-8").replace(ENGINE.format("server"), f"{policy}\n  {ENGINE.format('local')}")
    page.write_text(text, encoding="utf-8")
    (folder / "weights").mkdir()
    for name in WEIGHT_FILES:
        shutil.copy(WEIGHTS / name, folder / "weights" / name)
    _unpack_onnxruntime(folder / "ort")
    (folder / "face_model.bin").write_bytes(packaged_face_model_file())


def _unpack_onnxruntime(folder: Path) -> None:
    folder.mkdir()
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run(["npm", "pack", "--silent", ORT], cwd=temporary, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(temporary).glob("*.tgz")
        with tarfile.open(archive) as package:
            for name in ORT_FILES:
                content = package.extractfile(f"package/dist/{name}")
                if content is None:
                    raise SystemExit(f"{ORT} has no file dist/{name}: another version of the package is needed")
                (folder / name).write_bytes(content.read())


if __name__ == "__main__":
    sys.exit(main())
