"""Settings by source: of "300w", "300w/helen", "300w/helen/trainset" the longest that a face's source begins with."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from rdrface.errors import ConfigError

T = TypeVar("T")

SETS = ("merl_rav", "300w", "300w_lp", "fgnet", "aflw2000_3d")
"""First folder of the sources of every set that has a reader. A configuration may have entries for sets that a user
does not have."""


def value_of(source: str, table: Mapping[str, T], default: T) -> T:
    """The entry of a table that fits a source best.

    Args:
        source: e.g. "300w/helen/trainset".
        table: a source, or its first folders -> value.
        default: where no entry fits.
    """
    fitting = [part for part in table if _begins(source, part)]
    return table[max(fitting, key=len)] if fitting else default


def check_sources(sources: Iterable[str], table: Mapping[str, object], option: str) -> None:
    """Every entry of a table must fit some source, so that a misspelt one is not passed over.

    Entries of a set that is not among the faces are no mistake.

    Args:
        sources: of all faces.
        table: a source, or its first folders -> value.
        option: the table's name, for the message.

    Raises:
        ConfigError: an entry fits none; the message lists the sources.
    """
    names = sorted(set(sources))
    present = {name.split("/")[0] for name in names}
    for part in table:
        root = part.split("/")[0]
        absent = root in SETS and root not in present
        if not absent and not any(_begins(name, part) for name in names):
            raise ConfigError(
                f"{option} has an entry {part!r}, but none of the faces read are from there; "
                f"name one of these or its first folders, or leave it out: {', '.join(names)}"
            )


def _begins(source: str, part: str) -> bool:
    return source == part or source.startswith(f"{part}/")
