"""Settings per source: of the entries "300w", "300w/helen" and "300w/helen/trainset" the longest match is used."""

import sys
from collections.abc import Iterable, Mapping
from typing import TypeVar

from rdrface.errors import ConfigError

T = TypeVar("T")

SETS = ("merl_rav", "300w", "300w_lp", "fgnet", "aflw2000_3d")
"""First components of the sources of the training datasets. A configuration may have entries for datasets that the user
does not have."""


def value_of(source: str, table: Mapping[str, T], default: T) -> T:
    """Entry of a table with the longest match to a source.

    Args:
        source: e.g. "300w/helen/trainset".
        table: source, or its first components -> value.
        default: value without a match.
    """
    matches = [part for part in table if _begins(source, part)]
    return table[max(matches, key=len)] if matches else default


def check_sources(sources: Iterable[str], table: Mapping[str, object], option: str) -> None:
    """Check that every entry of a table matches a source, to find misspelled entries.

    The packaged configurations have entries for all parts of all datasets, and a user may have only some of them.
    Therefore an entry for a dataset in `SETS` without a match is reported on stderr and not used. Any other entry
    without a match is an error.

    Args:
        sources: sources of all faces.
        table: source, or its first components -> value.
        option: name of the table, for the message.

    Raises:
        ConfigError: an entry has no match and is not for a known dataset; the message lists the sources.
    """
    names = sorted(set(sources))
    for part in table:
        if any(_begins(name, part) for name in names):
            continue
        if part.split("/")[0] in SETS:
            print(f"{option}: no faces are from {part!r}; this entry is not used", file=sys.stderr)
        else:
            raise ConfigError(
                f"{option} has an entry {part!r}, but no faces are from this source. Remove it, or replace it by one "
                f"of these or their first components: {', '.join(names)}"
            )


def _begins(source: str, part: str) -> bool:
    return source == part or source.startswith(f"{part}/")
