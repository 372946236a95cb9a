"""Packed crops: their files, and joining them."""

import numpy as np
import pytest
from safetensors import safe_open

from annotated import records_of
from rdrface.datasets.crops import PackedCrops, read_settings
from rdrface.datasets.packing import pack
from rdrface.datasets.synthetic import draw_faces
from rdrface.errors import DataError


def test_a_saved_pack_is_loaded_unchanged(tmp_path):
    packed = pack(records_of(tmp_path, 2), size=32)
    packed.save(tmp_path / "p.safetensors")
    loaded = PackedCrops.load(tmp_path / "p.safetensors")
    for name, value in packed.__dict__.items():
        np.testing.assert_array_equal(getattr(loaded, name), value, err_msg=name)
    assert loaded.source_names == ("drawn",)


def test_a_pack_stores_its_settings(tmp_path):
    packed = pack(records_of(tmp_path, 2), size=32)
    packed.save(tmp_path / "p.safetensors", settings={"packed_size": 32, "annotation_offset": {"300w": [0.4, 0.4]}})
    assert read_settings(tmp_path / "p.safetensors") == {"packed_size": 32, "annotation_offset": {"300w": [0.4, 0.4]}}
    packed.save(tmp_path / "p.safetensors")
    assert read_settings(tmp_path / "p.safetensors") is None
    (tmp_path / "bad.safetensors").write_bytes(b"hello world, this is not such a file")
    with pytest.raises(DataError, match=r"bad\.safetensors"):
        read_settings(tmp_path / "bad.safetensors")


@pytest.mark.parametrize("quality", [None, 92])
def test_the_keys_of_the_file_are_those_of_release_0_1(tmp_path, quality):
    pack(records_of(tmp_path, 2), size=32).save(tmp_path / "p.safetensors", quality)
    with safe_open(str(tmp_path / "p.safetensors"), framework="numpy") as file:
        keys, metadata = set(file.keys()), file.metadata()
    images = {"windows"} if quality is None else {"pictures", "offsets"}
    labels = "valid points state jawline_convention outline jawline Q residual resolution source"
    assert keys == images | set(labels.split())
    assert metadata["format"] == ("rdrface-windows-1" if quality is None else "rdrface-windows-webp-1")


def test_compression_changes_pixels_slightly_and_no_labels(tmp_path):
    # Synthetic faces are smooth, like photos; the other tests use noise.
    packed = pack(draw_faces(tmp_path / "faces", 5), size=192)
    packed.save(tmp_path / "uncompressed.safetensors")
    packed.save(tmp_path / "compressed.safetensors", quality=92)
    loaded = PackedCrops.load(tmp_path / "compressed.safetensors")
    for name, value in packed.__dict__.items():
        if name != "images":
            np.testing.assert_array_equal(getattr(loaded, name), value, err_msg=name)
    assert loaded.images.shape == packed.images.shape and loaded.images.dtype == np.uint8
    difference = loaded.images.astype(int) - packed.images
    assert np.abs(difference).mean() < 4 and abs(difference.mean()) < 1
    assert (tmp_path / "compressed.safetensors").stat().st_size < (
        tmp_path / "uncompressed.safetensors"
    ).stat().st_size / 5
    with pytest.raises(ValueError, match=r"1\.\.100; got 0"):
        packed.save(tmp_path / "compressed.safetensors", quality=0)


def test_joined_packs_keep_their_sources(tmp_path):
    first, second = pack(records_of(tmp_path, 2), size=32), pack(records_of(tmp_path, 3), size=32)
    third = pack(records_of(tmp_path, 1), size=32)
    joined = first.joined(second, third)
    assert len(joined) == 6
    np.testing.assert_array_equal(joined.images[2:5], second.images)
    np.testing.assert_array_equal(joined.Q[:2], first.Q)
    names = [joined.source_names[i] for i in joined.source]
    assert names == [p.source_names[i] for p in (first, second, third) for i in p.source]
    with pytest.raises(ValueError, match=r"32 pixels .* 48"):
        first.joined(pack(records_of(tmp_path, 1), size=48))


def test_missing_and_damaged_files_are_refused(tmp_path):
    with pytest.raises(DataError, match="no file of packed faces"):
        PackedCrops.load(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"hello world, this is not such a file")
    with pytest.raises(DataError, match=r"bad\.safetensors"):
        PackedCrops.load(tmp_path / "bad.safetensors")
    packed = pack(records_of(tmp_path, 2), size=32)
    packed.save(tmp_path / "p.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "p.safetensors").read_bytes()[:-100])
    with pytest.raises(DataError, match=r"cut\.safetensors"):
        PackedCrops.load(tmp_path / "cut.safetensors")
