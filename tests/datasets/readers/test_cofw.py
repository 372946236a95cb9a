"""Reader of COFW68 on small files in the published format."""

import numpy as np
import pytest

from annotated import face_points, write_photo
from published_sets import savemat, write_cofw_annotations
from rdrface.datasets.readers.cofw import IMAGES, read_cofw68
from rdrface.errors import DataError
from rdrface.image import read_image


def write_images(root, images):
    """A cell array as MATLAB 7.3 stores it: references to arrays with reversed axes."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(root / IMAGES, "w") as file:
        cells = file.create_dataset("IsT", (1, len(images)), dtype=h5py.ref_dtype)
        for i, image in enumerate(images):
            cells[0, i] = file.create_dataset(f"#refs#/{i}", data=image.T).ref
    return root / IMAGES


def test_annotations_and_images_of_the_mat_file(tmp_path):
    write_cofw_annotations(tmp_path, [1, 2, 10])
    images = [np.random.default_rng(i).integers(0, 256, (40 + i, 60, 3), np.uint8) for i in range(10)]
    images[1] = images[1][..., 0]
    path = write_images(tmp_path, images)
    faces = read_cofw68(tmp_path)
    assert faces.image.tolist() == [str(path / f"{number}.png") for number in (1, 2, 10)]  # by number, not by name
    np.testing.assert_allclose(faces.points[2], face_points(10), atol=1e-4)
    assert np.flatnonzero(faces.state[0] == 2).tolist() == [0, 5] and (np.delete(faces.state[0], [0, 5]) == 1).all()
    assert faces.is_test.all() and set(faces.source) == {"cofw68"}
    np.testing.assert_array_equal(faces.open_image(faces.image[0]), images[0])
    np.testing.assert_array_equal(faces.open_image(faces.image[1])[..., 2], images[1])
    np.testing.assert_array_equal(faces.open_image(faces.image[2]), images[9])
    assert read_image(faces.open_image(faces.image[1])).shape == (41, 60, 3)


def test_exported_images_need_no_mat_file(tmp_path):
    folder = write_cofw_annotations(tmp_path, [1, 2])
    write_photo(folder / "1.png")
    write_photo(folder / "im_2.png")
    faces = read_cofw68(tmp_path)
    assert faces.image.tolist() == [str(folder / "1.png"), str(folder / "im_2.png")]
    assert faces.open_image(faces.image[0]) == faces.image[0]
    (folder / "im_2.png").unlink()
    write_photo(tmp_path / "images" / "2.jpg")
    assert read_cofw68(tmp_path).image[1] == str(tmp_path / "images" / "2.jpg")


def test_missing_and_damaged_files_are_refused(tmp_path):
    with pytest.raises(DataError, match="cofw68-benchmark"):
        read_cofw68(tmp_path)
    folder = write_cofw_annotations(tmp_path, [1, 2])
    with pytest.raises(DataError, match=r"2 of 2 images are missing: .*1_points\.mat.* Copy COFW_test_color\.mat"):
        read_cofw68(tmp_path)
    path = write_images(tmp_path, [np.zeros((8, 9, 3), np.uint8)])
    with pytest.raises(DataError, match="has 1 images, but number 2 is annotated"):
        read_cofw68(tmp_path)
    write_images(tmp_path, [np.zeros((8, 9, 3), np.uint8), np.zeros((8, 9, 2), np.uint8)])
    faces = read_cofw68(tmp_path)
    with pytest.raises(DataError, match=r"image 2 must be \(H, W, 3\) uint8"):
        faces.open_image(faces.image[1])
    with pytest.raises(DataError, match="no number 3"):
        faces.open_image("3.png")
    path.write_bytes(b"MATLAB 5.0 MAT-file")
    with pytest.raises(DataError, match=r"not a readable MATLAB 7\.3"):
        read_cofw68(tmp_path)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "1_points.mat").write_bytes((folder / "1_points.mat").read_bytes())
    with pytest.raises(DataError, match="annotate the same image"):
        read_cofw68(tmp_path)
    (tmp_path / "copy" / "1_points.mat").unlink()
    for content, message in (
        ({"Points": face_points()}, "no field 'Occ'"),
        ({"Points": face_points(), "Occ": np.full(68, 2)}, "0 or 1"),
        ({"Points": face_points(), "Occ": np.zeros(29)}, "'Occ' must be 68"),
        ({"Points": face_points()[:29], "Occ": np.zeros(29)}, "'Points' must be"),
    ):
        savemat()(folder / "1_points.mat", content)
        with pytest.raises(DataError, match=message):
            read_cofw68(tmp_path)


def test_the_message_without_h5py_gives_both_solutions(tmp_path, monkeypatch):
    write_cofw_annotations(tmp_path, [1])
    (tmp_path / IMAGES).write_bytes(b"")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(DataError, match=r"needs h5py: pip install 'rdrface\[evaluate\]'; or export"):
        read_cofw68(tmp_path)
