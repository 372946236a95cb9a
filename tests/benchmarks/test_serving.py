"""The benchmark of the server, in a short form: honest and hostile clients against the real command."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("fastapi")

from PIL import Image

SERVING = Path(__file__).resolve().parents[2] / "benchmarks" / "serving"
OPTIONS = ("--threads", "1", "--body-timeout", "2", "--timeout", "120")


@pytest.fixture
def measure(monkeypatch):
    """The module; other benchmarks have one of the same name."""
    monkeypatch.syspath_prepend(str(SERVING))
    monkeypatch.delitem(sys.modules, "measure", raising=False)
    import measure

    monkeypatch.setattr(measure, "WARM_UP", 0.5)
    yield measure
    for name in ("measure", "clients", "hostile_clients", "http_client", "server_under_test"):
        sys.modules.pop(name, None)


@pytest.fixture
def photos(tmp_path) -> Path:
    pixels = pytest.importorskip("skimage.data").astronaut()
    Image.fromarray(pixels[:300, 80:380]).save(tmp_path / "a.jpg")
    return tmp_path


def test_no_photo_of_honest_clients_is_lost_among_hostile_ones(measure, photos):
    table, is_good = measure.measure_hostile(measure.read_photos(photos), 20, 3, OPTIONS)
    text = table.to_text()
    assert is_good, text
    outcomes = {row.name: row.cells[2] for row in table.rows}
    assert "lost: 0, wrong: 0" in outcomes["honest"] and "faces: 0" not in outcomes["honest"]
    assert "too_many_pixels" in outcomes["bomb"] and "unsupported_image" in outcomes["no image"]
    assert "unsupported_media_type" in outcomes["wrong type"]
    assert "alive afterwards: yes; exit status 0" in text


def test_throughput_is_compared_with_detect_batch(measure, photos):
    table, is_good = measure.measure_throughput(measure.read_photos(photos), 4, 2, OPTIONS)
    rows = {row.name: row.cells[0] for row in table.rows}
    assert is_good and rows["errors"] == 0 and rows["photos"] >= 4
    assert rows["server / detect_batch"] > 0


def test_what_happened_to_a_request(measure):
    def outcome(status: int, content: dict) -> str:
        return measure.outcome_of(sys.modules["http_client"].Response(status, content))

    assert outcome(200, {"images": [{"error": None}]}) == "faces"
    assert outcome(200, {"images": [{"error": {"code": "damaged_image"}}]}) == "wrong"
    assert outcome(503, {"error": {"code": "queue_full"}}) == "refused"
    assert outcome(503, {"error": {"code": "stopping"}}) == "lost"
    assert [outcome(status, {}) for status in (0, 500, 504, 400)] == ["lost", "lost", "lost", "wrong"]


def test_a_folder_without_photos_is_an_error(measure, tmp_path):
    from rdrface.errors import DataError

    with pytest.raises(DataError, match="no photos"):
        measure.read_photos(tmp_path)


def test_a_server_that_does_not_start_is_an_error(measure):
    from rdrface.errors import ConfigError

    with (
        pytest.raises(ConfigError, match="max_queue must be"),
        sys.modules["server_under_test"].running(["--max-queue", "1"]),
    ):
        pass


def test_the_bomb_is_small(measure):
    assert len(sys.modules["hostile_clients"].png_bomb(30_000, 30_000)) < 5_000
