"""The split into training and validation faces, and the order of the training faces."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rdrface.datasets.records import FaceRecords


def person_keys(records: FaceRecords) -> np.ndarray:
    """(N,) str keys that are equal for all images of the same face in a dataset, which must be held out together.

    The key is the file name of the image without suffix, with these exceptions. In 300W-LP, AFW_1051618982_1_10 has the
    key 1051618982_1, which is the image of 300-W's AFW that it was rendered from, and LFPW_image_train_0737_13 the key
    image_0737. In FG-NET, 001a02 has the key of the
    person, 001.
    """
    keys = []
    for image, source in zip(records.image.tolist(), records.source.tolist(), strict=True):
        key = Path(image).stem
        if source.startswith("300w_lp"):
            key = key.partition("_")[2].rpartition("_")[0].replace("image_train_", "image_")
        elif source.startswith("fgnet"):
            key = key[:3]
        keys.append(key)
    return np.array(keys, dtype=np.str_)


def held_out(keys: np.ndarray, fraction: float) -> np.ndarray:
    """Choose the faces held out for validation. The choice depends only on the keys, not on the order of the faces.

    Args:
        keys: (N,) str, see `person_keys`.
        fraction: expected fraction of the faces to hold out, 0..1.

    Returns:
        (N,) bool.
    """
    digests = [hashlib.sha256(str(key).encode()).digest()[:4] for key in keys]
    return np.array([int.from_bytes(digest, "big") / 2**32 < fraction for digest in digests], dtype=bool)


def held_out_faces(records: FaceRecords, fraction: float) -> np.ndarray:
    """(N,) bool, the faces that a training with this `validation_fraction` holds out; see `person_keys`, `held_out`.

    A smaller fraction holds out a subset of the faces of a larger one.
    """
    return held_out(person_keys(records), fraction)


def batches(
    count: int,
    size: int,
    seed: int,
    start: int = 0,
    rank: int = 0,
    world: int = 1,
    draws: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Endless batches of face indices, in an order that depends only on the seed and the position.

    An epoch contains every face once, or `draws` times: with 2.3 a face is drawn twice in every epoch, and a third time
    in three epochs of ten. An exact resume needs only the number of batches used so far.

    Args:
        count: number of faces.
        size: number of faces per batch over all ranks, a multiple of `world`.
        seed: seed of the run and stage.
        start: number of batches used so far.
        rank: rank of this process.
        world: number of processes.
        draws: (count,) draws per epoch of each face, not all 0 (`rdrface.training.oversampling`).

    Yields:
        (size / world,) int64 indices.

    Raises:
        ValueError: `draws` has the wrong shape, is negative or not finite, or is 0 for all faces.
    """
    counts = np.ones(count) if draws is None else np.asarray(draws, dtype=np.float64)
    if counts.shape != (count,) or not np.isfinite(counts).all() or (counts < 0).any() or not counts.any():
        raise ValueError(f"draws must be ({count},), finite, 0 or more and not all 0; got shape {counts.shape}")
    order = np.empty(0, dtype=np.int64)
    first, epoch = 0, -1  # position of the epoch's first face
    for step in range(start, 2**62):
        batch = []
        for position in range(step * size + rank, (step + 1) * size, world):
            while position >= first + len(order):
                first, epoch = first + len(order), epoch + 1
                order = _epoch(counts, seed, epoch)
            batch.append(order[position - first])
        yield np.array(batch)


def _epoch(draws: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    whole = np.floor(draws)
    # A separate generator: faces drawn once keep the order that they have without `draws`.
    extra = np.random.default_rng([seed, epoch, 1]).random(len(draws)) < draws - whole
    indices = np.repeat(np.arange(len(draws)), whole.astype(np.int64) + extra)
    return indices[np.random.default_rng([seed, epoch]).permutation(len(indices))]
