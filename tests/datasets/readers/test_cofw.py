"""COFW68's reader on labels and photos in the published form, written here."""

import numpy as np
import pytest

from annotated import face_points, write_photo
from rdrface.datasets.readers.cofw import PHOTOS, read_cofw68
from rdrface.errors import DataError
from rdrface.image import read_image


@pytest.fixture
def savemat():
    return pytest.importorskip("scipy.io").savemat


def write_labels(savemat, root, numbers, occluded=(0, 5)):
    labels = root / "COFW68_Data" / "test_annotations"
    labels.mkdir(parents=True, exist_ok=True)
    hidden = np.zeros((68, 1), np.uint8)
    hidden[list(occluded)] = 1
    for number in numbers:
        savemat(labels / f"{number}_points.mat", {"Points": face_points(number) + 1, "Occ": hidden})
    return labels


def write_photos(root, photos):
    """A cell array as MATLAB 7.3 stores it: references to arrays with all axes turned round."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(root / PHOTOS, "w") as file:
        cells = file.create_dataset("IsT", (1, len(photos)), dtype=h5py.ref_dtype)
        for i, photo in enumerate(photos):
            cells[0, i] = file.create_dataset(f"#refs#/{i}", data=photo.T).ref
    return root / PHOTOS


def test_labels_and_photos_of_the_mat_file(tmp_path, savemat):
    write_labels(savemat, tmp_path, [1, 2, 10])
    photos = [np.random.default_rng(i).integers(0, 256, (40 + i, 60, 3), np.uint8) for i in range(10)]
    photos[1] = photos[1][..., 0]
    path = write_photos(tmp_path, photos)
    faces = read_cofw68(tmp_path)
    assert faces.image.tolist() == [str(path / f"{number}.png") for number in (1, 2, 10)]  # by number, not by name
    np.testing.assert_allclose(faces.points[2], face_points(10), atol=1e-4)
    assert np.flatnonzero(faces.state[0] == 2).tolist() == [0, 5] and (np.delete(faces.state[0], [0, 5]) == 1).all()
    assert faces.is_test.all() and set(faces.source) == {"cofw68"}
    np.testing.assert_array_equal(faces.open_image(faces.image[0]), photos[0])
    np.testing.assert_array_equal(faces.open_image(faces.image[1])[..., 2], photos[1])
    np.testing.assert_array_equal(faces.open_image(faces.image[2]), photos[9])
    assert read_image(faces.open_image(faces.image[1])).shape == (41, 60, 3)


def test_exported_photos_need_no_mat_file(tmp_path, savemat):
    labels = write_labels(savemat, tmp_path, [1, 2])
    write_photo(labels / "1.png")
    write_photo(labels / "im_2.png")
    faces = read_cofw68(tmp_path)
    assert faces.image.tolist() == [str(labels / "1.png"), str(labels / "im_2.png")]
    assert faces.open_image(faces.image[0]) == faces.image[0]
    (labels / "im_2.png").unlink()
    write_photo(tmp_path / "images" / "2.jpg")
    assert read_cofw68(tmp_path).image[1] == str(tmp_path / "images" / "2.jpg")


def test_refusals(tmp_path, savemat):
    with pytest.raises(DataError, match="cofw68-benchmark"):
        read_cofw68(tmp_path)
    labels = write_labels(savemat, tmp_path, [1, 2])
    with pytest.raises(DataError, match=r"no photo 1\.png .* and no COFW_test_color\.mat"):
        read_cofw68(tmp_path)
    path = write_photos(tmp_path, [np.zeros((8, 9, 3), np.uint8)])
    with pytest.raises(DataError, match="holds 1 photos, but there are labels for number 2"):
        read_cofw68(tmp_path)
    write_photos(tmp_path, [np.zeros((8, 9, 3), np.uint8), np.zeros((8, 9, 2), np.uint8)])
    faces = read_cofw68(tmp_path)
    with pytest.raises(DataError, match=r"photo 2 must be \(H, W, 3\) uint8"):
        faces.open_image(faces.image[1])
    with pytest.raises(DataError, match="no number 3"):
        faces.open_image("3.png")
    path.write_bytes(b"MATLAB 5.0 MAT-file")
    with pytest.raises(DataError, match=r"not a readable MATLAB 7\.3"):
        read_cofw68(tmp_path)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "1_points.mat").write_bytes((labels / "1_points.mat").read_bytes())
    with pytest.raises(DataError, match="label the same photo"):
        read_cofw68(tmp_path)
    (tmp_path / "copy" / "1_points.mat").unlink()
    for content, message in (
        ({"Points": face_points()}, "no field 'Occ'"),
        ({"Points": face_points(), "Occ": np.full(68, 2)}, "0 or 1"),
        ({"Points": face_points(), "Occ": np.zeros(29)}, "'Occ' must be 68"),
        ({"Points": face_points()[:29], "Occ": np.zeros(29)}, "'Points' must be"),
    ):
        savemat(labels / "1_points.mat", content)
        with pytest.raises(DataError, match=message):
            read_cofw68(tmp_path)


def test_without_h5py_the_message_says_what_to_do(tmp_path, savemat, monkeypatch):
    write_labels(savemat, tmp_path, [1])
    (tmp_path / PHOTOS).write_bytes(b"")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(DataError, match=r"needs h5py: pip install 'rdrface\[evaluate\]'; or export"):
        read_cofw68(tmp_path)
