"""The recorder of MediaPipe for clips, run with a stand-in for the package."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from invented_clip import invented_clip
from rdrface.evaluation.predictions.tracked import read_recorded

VIDEO = Path(__file__).resolve().parents[2] / "benchmarks" / "video"

MEDIAPIPE = """
from types import SimpleNamespace as S

class FaceMesh:
    def __init__(self, static_image_mode, max_num_faces, **options):
        assert not static_image_mode and options["refine_landmarks"]
        self.faces = max_num_faces

    def process(self, pixels):
        # One more frame, one more percent of the width; the first frame has no face.
        index = int(pixels[0, 0, 0])
        landmark = [S(x=0.5 + 0.01 * index, y=0.25)] * 478
        return S(multi_face_landmarks=[S(landmark=landmark)] * self.faces if index else None)

    def close(self):
        pass

solutions = S(face_mesh=S(FaceMesh=FaceMesh))
"""


@pytest.fixture
def record(monkeypatch):
    monkeypatch.syspath_prepend(str(VIDEO))
    import record

    return record


def test_mediapipes_faces_are_recorded_for_every_frame(record, tmp_path, monkeypatch):
    stubs = tmp_path / "stubs"
    (stubs / "mediapipe-9.8.dist-info").mkdir(parents=True)
    (stubs / "mediapipe.py").write_text(MEDIAPIPE)
    (stubs / "mediapipe-9.8.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: mediapipe\nVersion: 9.8\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(stubs))
    clips = [invented_clip("pan", count=3), invented_clip("crossing", count=2, people=2)]
    out = tmp_path / "mediapipe.json"
    record.record(Path(sys.executable), clips, out)
    method, (pan, crossing) = read_recorded(out, clips)
    assert method == "MediaPipe 9.8"
    assert [len(faces) for faces in pan.landmarks] == [0, 1, 1] and len(crossing.landmarks[1]) == 2
    # 52 % of 64 pixels, from the edge of the first pixel.
    assert np.allclose(pan.landmarks[2][0], [0.52 * 64 - 0.5, 0.25 * 48 - 0.5], atol=1e-3)
    assert len(json.loads(out.read_text())["clips"]) == 2


def test_a_tracker_that_fails_is_an_error(record, tmp_path, monkeypatch, capfd):
    (tmp_path / "mediapipe.py").write_text("raise SystemExit('no models')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="exit status 1"):
        record.record(Path(sys.executable), [invented_clip(count=2)], tmp_path / "out.json")
    assert "no models" in capfd.readouterr().err and not (tmp_path / "out.json").exists()
