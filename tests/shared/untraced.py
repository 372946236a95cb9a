"""Work whose coverage is not measured: tracing makes an export several times slower."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def untraced() -> Iterator[None]:
    """Run the body without the trace function of coverage.

    `Coverage.stop` is not enough. A process of pytest-xdist has two of them, and to stop one starts the other again.
    """
    function = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(function)
