"""A collection becomes a table: a row per face, per photo without a face, and per photo that cannot be read."""

from pathlib import Path

import numpy as np
import pytest

pq = pytest.importorskip("pyarrow.parquet")

from fake_collection import BREAKS, annotate_fakes, fake_job, in_this_process, png, write_photos  # noqa: E402
from rdrface.collection import FileSource, UnreadableSource  # noqa: E402
from rdrface.collection.counts import Counts  # noqa: E402
from rdrface.collection.output import Output  # noqa: E402
from rdrface.collection.schema import REQUIRED, schema  # noqa: E402
from rdrface.errors import ConfigError, DataError  # noqa: E402
from some_face import some_face  # noqa: E402

ROOT = Path(__file__).parents[2]


def photos(folder: Path, count: int = 12) -> FileSource:
    write_photos(folder, count)
    return FileSource("photos", folder, sorted(path.name for path in folder.iterdir()))


def failing_after(count: int):
    """An engine that fails after some chunks."""

    def engine(work, chunks):
        for i, counts in enumerate(in_this_process(work, chunks)):
            yield counts
            if i + 1 == count:
                raise KeyboardInterrupt

    return engine


def test_each_photo_has_a_row_for_each_face_or_one_row(tmp_path):
    counts = annotate_fakes([photos(tmp_path / "photos")], tmp_path / "out.parquet")
    assert counts == Counts(photos=12, faces=12, without_faces=3, failed=1, dropped=0)
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    columns = ("image_index", "image", "status", "num_faces", "face_index", "width", "height")
    assert [tuple(row[name] for name in columns) for row in rows[:4]] == [
        (0, "000.png", "no face", 0, None, 40, 30),
        (1, "001.png", "face", 1, 0, 40, 30),
        (2, "002.png", "face", 2, 0, 40, 30),
        (2, "002.png", "face", 2, 1, 40, 30),
    ]
    assert {row["source"] for row in rows} == {"photos"}
    (failed,) = [row for row in rows if row["status"] == "failed"]
    assert (
        failed["image"] == "009.png" and "not an image in a known format" in failed["error"] and failed["width"] is None
    )
    assert failed["landmarks"] is None and failed["jawOpen"] is None and failed["num_faces"] is None
    face = some_face((1.0, 100.0))
    np.testing.assert_array_equal(np.float32(rows[1]["landmarks"]).reshape(68, 2), face.landmarks)
    np.testing.assert_array_equal(np.float32(rows[1]["parameters_expression"]), face.parameters.expression)
    assert rows[1]["yaw"] == pytest.approx(face.pose.yaw) and rows[1]["jawOpen"] == pytest.approx(0.4)
    assert [path.name for path in tmp_path.iterdir() if path.name != "photos"] == ["out.parquet"]


def test_the_columns_have_units_and_are_documented():
    text = (ROOT / "docs" / "collections.md").read_text()
    blendshapes = some_face().blendshapes
    for field in schema(3):
        metadata = {key.decode(): value.decode() for key, value in field.metadata.items()}
        assert field.nullable == (field.name not in REQUIRED)
        if field.name not in blendshapes:
            size = getattr(field.type, "list_size", None)
            kind = str(field.type) if size is None else "float[2L]" if size == 6 else f"float[{size}]"
            row = f"| `{field.name}` | {kind} | {metadata['unit']} | {metadata['description']} |"
            assert row.replace("|  |", "| |") in text, row


def test_the_metadata_have_the_version_the_job_and_the_counts(tmp_path):
    annotate_fakes([photos(tmp_path / "photos")], tmp_path / "out.parquet")
    metadata = pq.read_metadata(tmp_path / "out.parquet").metadata
    assert metadata[b"schema_version"] == b"1" and b'"faces": 12' in metadata[b"rdrface_counts"]
    assert metadata[b"rdrface_job"].decode() == fake_job().to_json()


def test_an_interrupted_run_goes_on_and_gives_the_same_rows(tmp_path):
    source = photos(tmp_path / "photos", 30)
    annotate_fakes([source], tmp_path / "whole.parquet")
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            annotate_fakes([source], tmp_path / "out.parquet", engine=failing_after(2))
    # What is done can be read meanwhile, as one table.
    assert len(set(pq.read_table(tmp_path / "out.partial.parquet")["image_index"].to_pylist())) == 24
    started = []
    annotate_fakes([], tmp_path / "out.parquet", on_start=lambda *numbers: started.append(numbers))
    assert started == [(24, 30)]
    assert pq.read_table(tmp_path / "out.parquet").equals(
        pq.read_table(tmp_path / "whole.parquet"), check_metadata=True
    )
    assert not (tmp_path / "out.partial.parquet").exists()


def test_a_complete_output_is_left_as_it_is(tmp_path):
    source = photos(tmp_path / "photos")
    for out in ("out.parquet", "out"):
        first = annotate_fakes([source], tmp_path / out)
        assert annotate_fakes([], tmp_path / out, engine=lambda work, chunks: pytest.fail("annotated again")) == first


def test_a_folder_has_a_file_for_each_chunk(tmp_path):
    source = photos(tmp_path / "photos")
    with pytest.raises(KeyboardInterrupt):
        annotate_fakes([source], tmp_path / "out", engine=failing_after(1))
    annotate_fakes([source], tmp_path / "out")
    annotate_fakes([source], tmp_path / "whole.parquet")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [".rdrface", "part-0000000.parquet", "part-0000001.parquet", "part-0000002.parquet"]
    assert pq.read_table(tmp_path / "out").equals(pq.read_table(tmp_path / "whole.parquet"))


def test_another_job_does_not_touch_an_output(tmp_path):
    source = photos(tmp_path / "photos")
    with pytest.raises(KeyboardInterrupt):
        annotate_fakes([source], tmp_path / "out.parquet", engine=failing_after(1))
    with pytest.raises(ConfigError, match=r'another run: weights "" instead of "other"\. Call that run again'):
        annotate_fakes([source], tmp_path / "out.parquet", fake_job(weights="other"))
    annotate_fakes([source], tmp_path / "out.parquet")
    with pytest.raises(ConfigError, match="exists, and has other rows"):
        annotate_fakes([source], tmp_path / "out.parquet", fake_job(weights="other"))
    annotate_fakes([source], tmp_path / "out.parquet", fake_job(weights="other"), overwrite=True)
    assert b"other" in pq.read_schema(tmp_path / "out.parquet").metadata[b"rdrface_job"]
    annotate_fakes([source], tmp_path / "out")
    with pytest.raises(ConfigError, match="another run"):
        annotate_fakes([source], tmp_path / "out", fake_job(chunk=6))
    annotate_fakes([source], tmp_path / "out", fake_job(chunk=6), overwrite=True)
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 2


def test_a_run_that_was_killed_while_it_listed_its_photos_starts_again(tmp_path):
    def stopping():
        yield "000.png"
        raise KeyboardInterrupt

    source = photos(tmp_path / "photos")
    with pytest.raises(KeyboardInterrupt):
        annotate_fakes([FileSource("photos", tmp_path / "photos", stopping())], tmp_path / "out.parquet")
    assert annotate_fakes([source], tmp_path / "out.parquet", fake_job(weights="other")).photos == 12


@pytest.mark.parametrize("out", ["out", "out.parquet"])
def test_an_output_is_not_replaced_before_the_photos_are_listed(tmp_path, out):
    def stopping():
        yield "000.png"
        raise KeyboardInterrupt

    source = photos(tmp_path / "photos")
    annotate_fakes([source], tmp_path / out)
    before = pq.read_table(tmp_path / out)
    for names, error in (([], ConfigError), (stopping(), KeyboardInterrupt)):
        other = FileSource("photos", tmp_path / "photos", names)
        with pytest.raises(error):
            annotate_fakes([other], tmp_path / out, fake_job(weights="other"), overwrite=True)
        assert pq.read_table(tmp_path / out).equals(before)
        assert annotate_fakes([source], tmp_path / out, engine=failing_after(1)).photos == 12
    annotate_fakes([source], tmp_path / out, fake_job(weights="other"), overwrite=True)
    assert (
        b"other"
        in pq.read_schema(next((tmp_path / out).glob("*.parquet")) if out == "out" else tmp_path / out).metadata[
            b"rdrface_job"
        ]
    )


def test_files_of_other_software_are_not_removed(tmp_path):
    source = photos(tmp_path / "photos")
    with pytest.raises(ConfigError, match="has other files"):
        annotate_fakes([source], tmp_path / "photos", overwrite=True)
    (tmp_path / "out").write_text("text")
    with pytest.raises(ConfigError, match="is a file; name a folder"):
        annotate_fakes([source], tmp_path / "out")
    assert len(list((tmp_path / "photos").iterdir())) == 12


def test_two_runs_do_not_write_to_the_same_output(tmp_path):
    output = Output(tmp_path / "out.parquet")
    with output.opened(fake_job(), False), pytest.raises(ConfigError, match=r"another run writes to .*out\.partial"):
        annotate_fakes([photos(tmp_path / "photos")], tmp_path / "out.parquet")


def test_no_photos_is_an_error_that_leaves_nothing(tmp_path):
    for out in ("out.parquet", "out"):
        with pytest.raises(ConfigError, match="no photos in photos"):
            annotate_fakes([FileSource("photos", tmp_path, [])], tmp_path / out)
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_network_is_that_of_one_photo(tmp_path):
    for i, red in enumerate((1, BREAKS, 2)):
        (tmp_path / f"{i}.png").write_bytes(png(red))
    source = FileSource(None, tmp_path, ["0.png", "1.png", "2.png", None])
    annotate_fakes([source, UnreadableSource("d", "the folder d cannot be read")], tmp_path / "out.parquet")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["error"] for row in rows] == [
        *(None, "cannot be processed: the network failed", None, None, "the entry has no path"),
        "the folder d cannot be read",
    ]
    assert [row["image_index"] for row in rows] == [0, 1, 2, 2, 3, 4]
    assert rows[0]["source"] is None and rows[-1]["source"] == "d"


def test_a_damaged_file_of_a_chunk_is_named(tmp_path):
    source = photos(tmp_path / "photos")
    with pytest.raises(KeyboardInterrupt):
        annotate_fakes([source], tmp_path / "out.parquet", engine=failing_after(1))
    (tmp_path / "out.partial.parquet" / "part-0000000.parquet").write_text("damaged")
    with pytest.raises(DataError, match=r"part-0000000\.parquet is damaged"):
        annotate_fakes([source], tmp_path / "out.parquet")


def test_custom_landmarks_have_a_column():
    assert schema(3).field("custom_landmarks").type.list_size == 6
    assert "custom_landmarks" not in schema().names
