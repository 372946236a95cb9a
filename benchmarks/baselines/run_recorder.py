"""Running a method's recorder in the method's own environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from methods import Method

CHECKOUT = Path(__file__).resolve().parents[2]


def run_recorder(method: Method, faces: Path, boxes: str, contour: str, out: Path, environments: Path) -> str:
    """Record a method's predictions, unless a recording exists that is newer than all files it depends on.

    Args:
        method: the method.
        faces: the list of faces.
        boxes: 'own' or 'given'.
        contour: contour convention of the set, 'outline' or 'jawline'.
        out: predictions file, NAME-BOXES.json.
        environments: folder of the methods' environments.

    Returns:
        The reason why the method could not be recorded; empty on success.
    """
    if method.missing:
        return f"needs {method.missing}"
    if out.exists() and all(file.stat().st_mtime <= out.stat().st_mtime for file in method.depends_on):
        return ""
    out.unlink(missing_ok=True)
    try:
        python = environment(method, environments / out.stem.removesuffix(f"-{boxes}"))
        command = [str(python), str(method.recorder), *method.options, str(faces), "-o", str(out)]
        if method.boxes != ("given",):
            command += ["--boxes", boxes]
        if method.has_contour_option:
            command += ["--contour", contour]
        print(f"recording {method.title}, boxes {boxes}", file=sys.stderr)
        _run(command, out.with_suffix(".log"), add_checkout=method.requirements is None)
    except (RuntimeError, OSError) as error:
        return str(error)
    return "" if out.exists() else f"{method.recorder.name} wrote no file"


def environment(method: Method, folder: Path) -> Path:
    """Path of the Python of a method's environment, FOLDER/venv.

    The environment is created when it is missing or its requirements have changed. A method without requirements uses
    the current Python.

    Raises:
        RuntimeError: the environment could not be created.
    """
    if method.requirements is None:
        return Path(sys.executable)
    venv = folder / "venv"
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    installed, required = venv / "requirements.txt", method.requirements.read_text(encoding="utf-8")
    if python.exists() and installed.exists() and installed.read_text(encoding="utf-8") == required:
        return python
    print(f"creating the environment of {method.title} in {venv}", file=sys.stderr)
    shutil.rmtree(venv, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "install.log"
    _run([sys.executable, "-m", "venv", str(venv)], log)
    _run([str(python), "-m", "pip", "install", "-r", str(method.requirements)], log)
    installed.write_text(required, encoding="utf-8")
    return python


def _run(command: list[str], log: Path, add_checkout: bool = False) -> None:
    # One thread for libraries that read these variables.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    variables = {**os.environ, **threads}
    if add_checkout:  # rdrface need not be installed
        path = os.environ.get("PYTHONPATH", "")
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, (str(CHECKOUT / "src"), path)))
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, env=variables, check=False)
    if done.returncode:
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
        last = next((line for line in reversed(lines) if line), f"exit status {done.returncode}")
        raise RuntimeError(f"{last} ({log.name})")
