"""The methods that are compared, their environments, and running their recorders."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rdrface.aligner import PACKAGED_WEIGHTS
from rdrface.runtime.weights import graph_path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]


@dataclass(frozen=True)
class Peer:
    """One method and its recorder.

    Attributes:
        title: its name in the tables until a recording names it.
        recorder: the script, given FACES.json and -o FILE.
        requirements: what its environment holds; None runs it with this Python.
        boxes: what it can be given; a method without a detector is told the true boxes only.
        options: more options, behind FACES.json.
        contours: it has both contours and is told the set's, with --contour.
        made_of: files whose change makes a recording worthless.
        needs: a file that must be named to measure this method, and how; empty if none.
    """

    title: str
    recorder: Path
    requirements: Path | None = None
    boxes: tuple[str, ...] = ("own", "given")
    options: tuple[str, ...] = ()
    contours: bool = False
    made_of: tuple[Path, ...] = ()
    needs: str = ""


def peers(sdm: Path | None, sdm_from_ours: Path | None) -> dict[str, Peer]:
    """Name on the command line -> method.

    Args:
        sdm, sdm_from_ours: fitted cascades of benchmarks/sdm; None: such a one cannot be measured.
    """
    weights = (PACKAGED_WEIGHTS, graph_path(PACKAGED_WEIGHTS))
    return {
        "rdrface": Peer("rdrface", HERE / "record_rdrface.py", contours=True, made_of=weights),
        "dlib": Peer("dlib", HERE / "record_dlib.py", HERE / "dlib.txt"),
        "mediapipe": Peer(
            "MediaPipe",
            HERE / "record_mediapipe.py",
            HERE / "mediapipe.txt",
            made_of=(HERE / "mediapipe_map.json",),
        ),
        "sdm": _cascade("SDM", "--sdm", sdm, ()),
        "sdm-from-ours": _cascade("RDR 3D + SDM", "--sdm-from-ours", sdm_from_ours, weights),
        "face-alignment": Peer(
            "face-alignment", HERE / "record_face_alignment.py", HERE / "face-alignment.txt", contours=True
        ),
    }


def _cascade(title: str, option: str, model: Path | None, made_of: tuple[Path, ...]) -> Peer:
    recorder = HERE.parent / "sdm" / "record.py"
    if model is None:
        return Peer(title, recorder, boxes=("given",), needs=f"a cascade of benchmarks/sdm/train.py: {option} FILE.npz")
    # Its record.py wants the model before the list of faces.
    return Peer(title, recorder, boxes=("given",), options=(str(model),), made_of=(model, *made_of))


def environment(peer: Peer, folder: Path) -> Path:
    """The Python of a peer's environment, made when it is missing or its requirements have changed.

    Args:
        peer: with requirements, or without: then it is this Python.
        folder: where the environment lies, FOLDER/venv.

    Raises:
        RuntimeError: it could not be made; says why.
    """
    if peer.requirements is None:
        return Path(sys.executable)
    place = folder / "venv"
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done, wanted = place / "requirements.txt", peer.requirements.read_text(encoding="utf-8")
    if python.exists() and done.exists() and done.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making the environment of {peer.title} in {place}", file=sys.stderr)
    shutil.rmtree(place, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "install.log"
    _run([sys.executable, "-m", "venv", str(place)], log)
    _run([str(python), "-m", "pip", "install", "-r", str(peer.requirements)], log)
    done.write_text(wanted, encoding="utf-8")
    return python


def record(peer: Peer, faces: Path, boxes: str, contour: str, out: Path, environments: Path) -> str:
    """Record a method's predictions unless a recording is there that is younger than all it is made of.

    Args:
        peer: the method.
        faces: the list of faces.
        boxes: 'own' or 'given'.
        contour: 'outline' or 'jawline', the set's.
        out: the file of predictions.
        environments: folder for the peers' environments.

    Returns:
        Why it could not be recorded; empty when it was.
    """
    if peer.needs:
        return f"needs {peer.needs}"
    if out.exists() and all(source.stat().st_mtime <= out.stat().st_mtime for source in peer.made_of):
        return ""
    out.unlink(missing_ok=True)
    try:
        python = environment(peer, environments / out.stem.removesuffix(f"-{boxes}"))
        command = [str(python), str(peer.recorder), *peer.options, str(faces), "-o", str(out)]
        if peer.boxes != ("given",):
            command += ["--boxes", boxes]
        if peer.contours:
            command += ["--contour", contour]
        print(f"recording {peer.title}, boxes {boxes}", file=sys.stderr)
        _run(command, out.with_suffix(".log"), ours=peer.requirements is None)
    except (RuntimeError, OSError) as error:
        return str(error)
    return "" if out.exists() else f"{peer.recorder.name} wrote nothing"


def _run(command: list[str], log: Path, ours: bool = False) -> None:
    # One thread for libraries that ask the environment; ours also finds a checkout that is not installed.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    variables = {**os.environ, **threads}
    if ours:
        known = os.environ.get("PYTHONPATH", "")
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, (str(CHECKOUT / "src"), known)))
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, env=variables, check=False)
    if done.returncode:
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
        last = next((line for line in reversed(lines) if line), f"exit status {done.returncode}")
        raise RuntimeError(f"{last} ({log.name})")
