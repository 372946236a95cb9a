"""The queries of docs/collections.md run, and find what the text says."""

import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")
duckdb = pytest.importorskip("duckdb")

from fake_collection import fake_job  # noqa: E402
from rdrface.collection.chunk_annotation import AnnotatedPhoto  # noqa: E402
from rdrface.collection.rows import table_of, write_part  # noqa: E402
from some_face import some_face  # noqa: E402

PAGE = (Path(__file__).parents[2] / "docs" / "collections.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def face(yaw: float, size: float = 100.0, **blendshapes: float):
    """A face with these blendshapes only. yaw in radians; if positive, the nose points to the right of the image."""
    one = some_face(size=size, angles=(0.0, yaw, 0.0))
    one.parameters.expression[:] = 0
    names = list(one.blendshapes)
    one.__dict__.pop("blendshapes")
    for name, value in blendshapes.items():
        one.parameters.expression[names.index(name)] = value
    return one


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """The tables of the page in the current folder."""
    monkeypatch.chdir(tmp_path)
    smile = {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5}
    photos = [
        AnnotatedPhoto("closed.jpg", "", 320, 240, 1, [face(1.3, eyeBlinkRight=0.9)]),
        AnnotatedPhoto("closed_left.jpg", "", 320, 240, 1, [face(-1.3, eyeBlinkLeft=0.9)]),
        # The eye that is not seen, and a frontal face.
        AnnotatedPhoto("open.jpg", "", 320, 240, 1, [face(1.3, eyeBlinkLeft=0.9), face(0.1, eyeBlinkRight=0.9)]),
        AnnotatedPhoto("smiles.jpg", "", 320, 240, 1, [face(0.0, **smile), face(0.3, **smile)]),
        AnnotatedPhoto("none.jpg", "", 320, 240, 1),
        AnnotatedPhoto("bad.jpg", "/data/bad.jpg is empty (0 bytes)"),
    ]
    write_part(Path("faces.parquet"), table_of(photos, "photos", 0, fake_job().metadata()))
    for name in ("faces.partial.parquet", "faces"):
        Path(name).mkdir()
        shutil.copy("faces.parquet", f"{name}/part-0000000.parquet")


def found(text: str) -> list[tuple]:
    """The rows of the query that contains a text."""
    (query,) = [query for query in QUERIES if text in query]
    return run(query)


def run(query: str) -> list[tuple]:
    """The rows of a query, in a connection of its own."""
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


@pytest.mark.usefixtures("tables")
def test_every_query_runs():
    assert len(QUERIES) == 10
    for query in QUERIES:
        run(query)
    assert len(Path("points.csv").read_text().splitlines()) == 1 + 6 * 68
    assert run("SELECT count(*) FROM 'small.parquet'") == [(8,)]


@pytest.mark.usefixtures("tables")
def test_profiles_with_closed_eyes_are_found():
    assert [row[1] for row in found("eyeBlinkRight")] == ["closed.jpg", "closed_left.jpg"]
    # Of a nose that points to the right, the person's right eye (points 36 to 41) is seen: it is in front.
    one = face(1.3)
    assert one.pose.yaw > 60 and one.landmarks_3d[36:42, 2].mean() > one.landmarks_3d[42:48, 2].mean()


@pytest.mark.usefixtures("tables")
def test_the_other_queries_find_what_the_text_says():
    assert sorted(found("count(DISTINCT image_index) AS photos, count(face_index)")) == [
        *(("face", 4, 6), ("failed", 1, 0), ("no face", 1, 0)),
    ]
    assert found("regexp_replace") == [("... is empty ... bytes)", 1)]
    assert [row[1] for row in found("HAVING")] == ["smiles.jpg"]
    assert found("count(DISTINCT image_index) AS photos FROM") == [(6,)]
    assert sum(row[1] for row in found("floor(yaw / 15)")) == 6
