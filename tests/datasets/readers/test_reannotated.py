"""The second annotation of AFLW2000-3D."""

import numpy as np
import pytest

from annotated import face_points
from rdrface.datasets.readers.reannotated import LISTINGS, reannotated
from rdrface.datasets.records import FaceRecords
from rdrface.errors import DataError

NAMES = ("image00002", "image00004", "image00010")


def aflw2000(names=NAMES):
    old = np.stack([face_points(7)] * len(names))
    return FaceRecords(
        image=np.array([f"some/where/{name}.jpg" for name in names]),
        points=old,
        state=np.ones((len(names), 68)),
        box=np.tile([0, 0, 1, 1], (len(names), 1)),
        source=np.full(len(names), "aflw2000_3d"),
        is_test=np.ones(len(names), bool),
        angles=np.tile([1.0, 2.0, 3.0], (len(names), 1)),
    )


def new_points(count=3):
    return np.stack([face_points(i + 1) for i in range(count)])


@pytest.mark.parametrize("form", ["(M, 68, 2)", "(M, 2, 68)", "(M, 3, 68)"])
def test_arrays_of_all_three_shapes_are_read(tmp_path, form):
    stored = new_points() + 1
    if form != "(M, 68, 2)":
        stored = stored.transpose(0, 2, 1)
    if form == "(M, 3, 68)":
        stored = np.concatenate([stored, np.full((3, 1, 68), 99.0)], axis=1)
    np.save(tmp_path / "new.npy", stored.astype(np.float32))
    faces = reannotated(aflw2000(), tmp_path / "new.npy")
    np.testing.assert_allclose(faces.points, new_points(), atol=1e-5)
    np.testing.assert_allclose(faces.box[1], [*new_points()[1].min(0), *new_points()[1].max(0)], atol=1e-5)
    assert (faces.state == 0).all() and faces.angles[0].tolist() == [1, 2, 3]
    assert faces.image.tolist() == aflw2000().image.tolist() and faces.source[0] == "aflw2000_3d/reannotated"


def test_without_a_list_rows_follow_the_sorted_names(tmp_path):
    np.save(tmp_path / "new.npy", new_points() + 1)
    faces = reannotated(aflw2000(NAMES[::-1]), tmp_path / "new.npy")
    np.testing.assert_allclose(faces.points, new_points()[::-1])


def test_a_list_assigns_rows_to_a_subset(tmp_path):
    np.save(tmp_path / "new.npy", new_points() + 1)
    subset = aflw2000((NAMES[2], NAMES[0]))
    with pytest.raises(DataError, match=r"annotates 3 faces, but the dataset's folder has 2.*AFLW2000-3D_crop\.list"):
        reannotated(subset, tmp_path / "new.npy")
    for name in LISTINGS:
        (tmp_path / name).write_text("".join(f"{face}.jpg\n" for face in NAMES))
        np.testing.assert_allclose(reannotated(subset, tmp_path / "new.npy").points, new_points()[[2, 0]])
        (tmp_path / name).unlink()
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text("\n".join(NAMES[i] for i in (1, 2, 0)))
    np.testing.assert_allclose(reannotated(subset, tmp_path / "new.npy", elsewhere).points, new_points()[[1, 2]])
    assert len(reannotated(subset.select([]), tmp_path / "new.npy", elsewhere)) == 0


def test_missing_and_damaged_files_are_refused(tmp_path):
    file = tmp_path / "new.npy"
    with pytest.raises(DataError, match=r"no annotation file .* at"):
        reannotated(aflw2000(), file)
    file.write_bytes(b"something else")
    with pytest.raises(DataError, match=r"not a readable \.npy"):
        reannotated(aflw2000(), file)
    for values, message in (
        (np.zeros((3, 68)), r"must have shape .* got \(3, 68\)"),
        (np.zeros((3, 2, 21)), r"got \(3, 2, 21\)"),
        (np.full((3, 68, 2), np.nan), "not finite"),
        (np.full((3, 68, 2), "x"), "one array of real numbers"),
        (np.ones((3, 68, 2)), "on one line"),
    ):
        np.save(file, values)
        with pytest.raises(DataError, match=message):
            reannotated(aflw2000(), file)
    np.save(file, new_points() + 1)
    with pytest.raises(DataError, match="no list of images at"):
        reannotated(aflw2000(), file, tmp_path / "no.list")
    (tmp_path / "short.list").write_text("image00002.jpg\n")
    with pytest.raises(DataError, match=r"lists 1 images, but .* annotates 3 faces"):
        reannotated(aflw2000(), file, tmp_path / "short.list")
    (tmp_path / "other.list").write_text("a.jpg\nb.jpg\nimage00002.jpg\n")
    with pytest.raises(DataError, match=r"no annotation for image00004 \(2 such faces\)"):
        reannotated(aflw2000(), file, tmp_path / "other.list")
