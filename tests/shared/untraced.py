"""Work in fixtures whose coverage is not measured; tests have the mark `no_cover` for it."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def untraced() -> Iterator[None]:
    """Pause the measurement of coverage, which makes the export several times slower."""
    try:
        from coverage import Coverage
    except ImportError:
        yield
        return
    measurement = Coverage.current()
    if measurement is None:
        yield
        return
    measurement.stop()
    try:
        yield
    finally:
        measurement.start()
