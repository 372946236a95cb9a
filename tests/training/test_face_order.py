"""The held-out faces, and the order of the training faces, which depends only on seed and step."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from annotated import records_of
from rdrface.training.face_order import batches, held_out, person_keys


def test_images_of_one_face_are_held_out_together(tmp_path: Path) -> None:
    records = records_of(tmp_path, 7, fitted=False)
    images = ["300w/afw/1051_1.jpg", "AFW/AFW_1051_1_0.jpg", "AFW/AFW_1051_1_10.jpg", "001a02.JPG", "001a40.JPG"]
    images += ["lfpw/trainset/image_0737.png", "LFPW/LFPW_image_train_0737_13.jpg"]
    sources = ["300w/afw", "300w_lp/AFW", "300w_lp/AFW", "fgnet", "fgnet", "300w/lfpw/trainset", "300w_lp/LFPW"]
    keys = person_keys(replace(records, image=np.array(images), source=np.array(sources)))
    assert keys.tolist() == ["1051_1"] * 3 + ["001"] * 2 + ["image_0737"] * 2


def test_every_face_is_drawn_once_per_epoch_and_a_resumed_run_continues_the_order() -> None:
    whole = batches(10, 4, seed=3)
    first = [next(whole) for _ in range(10)]
    flat = np.concatenate(first)
    assert sorted(flat[:10]) == sorted(flat[10:20]) == list(range(10))
    assert list(flat[:10]) != list(flat[10:20])
    later = batches(10, 4, seed=3, start=7)
    assert all(np.array_equal(a, next(later)) for a in first[7:])


def test_ranks_share_a_batch_without_overlap() -> None:
    ranks = [next(batches(100, 8, seed=0, rank=rank, world=2)) for rank in (0, 1)]
    assert [len(part) for part in ranks] == [4, 4]
    assert sorted(np.concatenate(ranks)) == sorted(next(batches(100, 8, seed=0)))


def test_held_out_faces_depend_only_on_the_name() -> None:
    names = np.array([f"photo_{i}.jpg" for i in range(4000)])
    kept = held_out(names, 0.1)
    assert 300 < kept.sum() < 500
    assert np.array_equal(held_out(names[::-1], 0.1), kept[::-1])
    assert not held_out(names, 0.0).any()


def test_a_smaller_fraction_holds_out_a_subset() -> None:
    keys = np.array([f"image{i}" for i in range(2000)])
    small, large = held_out(keys, 0.03), held_out(keys, 0.04)
    assert 0 < small.sum() < large.sum() and large[small].all()
