"""Facts about the packaged weights: package data, from which both docs/model_card.md and the card of a folder are made.

Links in the texts are relative to ``docs/``. `python tools/write_model_card.py` copies the texts to docs/model_card.md.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_CARD = Path(__file__).parent / "card"


@dataclass(frozen=True)
class Dataset:
    """A dataset of the packaged weights.

    Attributes:
        reader: its name in the metadata of weights files.
        name: the parts that were used.
        faces: number of faces of the packaged weights' training.
        annotations: what is annotated.
        license: license of the images.
    """

    reader: str
    name: str
    faces: int
    annotations: str
    license: str


@dataclass(frozen=True)
class Measurement:
    """A measured error.

    Attributes:
        dataset: name of the dataset as an identifier.
        name: name of the dataset for readers.
        split: part of the dataset; None if it has no name.
        metric: name of the error, with its unit.
        value: the error.
    """

    dataset: str
    name: str
    split: str | None
    metric: str
    value: float


def datasets() -> tuple[Dataset, ...]:
    """The datasets that the packaged weights were trained on."""
    return tuple(Dataset(**entry) for entry in json.loads(text("datasets.json")))


def measurements(checksum: str) -> tuple[Measurement, ...] | None:
    """Errors of packaged weights, from docs/results.md and docs/speed.md; None for any other weights.

    Args:
        checksum: `WeightsInfo.checksum`.
    """
    entries = json.loads(text("measurements.json")).get(checksum)
    return None if entries is None else tuple(Measurement(**entry) for entry in entries)


def text(name: str) -> str:
    """Content of a file of the folder ``card``."""
    return (_CARD / name).read_text(encoding="utf-8")


def dataset_table() -> str:
    """The datasets of the packaged weights, as a Markdown table."""
    rows = [(one.name, f"{one.faces:,}", one.annotations, one.license) for one in datasets()]
    return table(("dataset", "faces", "annotations", "license"), rows)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table. The cells must not contain line breaks or "|"."""
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    columns = lines[0].count("|") - 1
    return "\n".join([lines[0], "|" + "---|" * columns, *lines[1:]]) + "\n"
