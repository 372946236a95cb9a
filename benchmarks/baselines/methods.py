"""The methods that are compared: rdrface and the baselines."""

from dataclasses import dataclass
from pathlib import Path

from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.runtime.weights import graph_path

HERE = Path(__file__).resolve().parent

BASELINES = ("dlib", "mediapipe", "sdm", "sdm-from-ours", "face-alignment")
"""Names of the baselines on the command line."""


@dataclass(frozen=True)
class Method:
    """One method and the script that records its predictions.

    Attributes:
        title: name in the tables until a recording gives one.
        recorder: the script; called with FACES.json and -o FILE.
        requirements: requirements file of its environment; None runs the recorder in the current environment.
        boxes: box sources that it supports: 'own' (its own detector), 'given' (the true boxes).
        options: further command-line arguments, placed before FACES.json.
        has_contour_option: it predicts both contour conventions; the recorder takes --contour.
        depends_on: files; a recording older than any of them is repeated.
        missing: argument without which this method cannot be measured; empty if all arguments are given.
    """

    title: str
    recorder: Path
    requirements: Path | None = None
    boxes: tuple[str, ...] = ("own", "given")
    options: tuple[str, ...] = ()
    has_contour_option: bool = False
    depends_on: tuple[Path, ...] = ()
    missing: str = ""


def all_methods(sdm: Path | None, sdm_from_ours: Path | None) -> dict[str, Method]:
    """Name on the command line -> method, in the order of the tables.

    Args:
        sdm, sdm_from_ours: cascades trained by benchmarks/sdm/train.py; None leaves that method unmeasured.
    """
    weights = (PACKAGED_WEIGHTS, graph_path(PACKAGED_WEIGHTS))
    mediapipe_map = HERE / "mediapipe_map.json"
    return {
        "rdrface": Method("rdrface", HERE / "record_rdrface.py", has_contour_option=True, depends_on=weights),
        "dlib": Method("dlib", HERE / "record_dlib.py", HERE / "dlib.txt"),
        "mediapipe": Method(
            "MediaPipe", HERE / "record_mediapipe.py", HERE / "mediapipe.txt", depends_on=(mediapipe_map,)
        ),
        "sdm": _sdm("SDM", "--sdm", sdm, ()),
        "sdm-from-ours": _sdm("RDR 3D + SDM", "--sdm-from-ours", sdm_from_ours, weights),
        "face-alignment": Method(
            "face-alignment", HERE / "record_face_alignment.py", HERE / "face-alignment.txt", has_contour_option=True
        ),
    }


def _sdm(title: str, option: str, cascade: Path | None, depends_on: tuple[Path, ...]) -> Method:
    recorder = HERE.parent / "sdm" / "record.py"
    if cascade is None:
        missing = f"a cascade trained by benchmarks/sdm/train.py: {option} FILE.npz"
        return Method(title, recorder, boxes=("given",), missing=missing)
    return Method(title, recorder, boxes=("given",), options=(str(cascade),), depends_on=(cascade, *depends_on))
