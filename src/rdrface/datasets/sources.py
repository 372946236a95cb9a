"""Settings by source: of "300w", "300w/helen", "300w/helen/trainset" the longest that a face's source begins with."""

import sys
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
    """Every entry of a table should fit some source, so that a misspelled one does not go unnoticed.

    A user may have only parts of a set, in folders of other names, and the shipped configurations name all parts. So an
    entry of a set in `SETS` that fits no face is named on stderr and not used. Any other such entry is an error.

    Args:
        sources: of all faces.
        table: a source, or its first folders -> value.
        option: the table's name, for the message.

    Raises:
        ConfigError: an entry is of no known set and fits none; the message lists the sources.
    """
    names = sorted(set(sources))
    for part in table:
        if any(_begins(name, part) for name in names):
            continue
        if part.split("/")[0] in SETS:
            print(f"{option}: none of the faces are from {part!r}; this entry is not used", file=sys.stderr)
        else:
            raise ConfigError(
                f"{option} has an entry {part!r}, but none of the faces read are from there; "
                f"name one of these or its first folders, or leave it out: {', '.join(names)}"
            )


def _begins(source: str, part: str) -> bool:
    return source == part or source.startswith(f"{part}/")
