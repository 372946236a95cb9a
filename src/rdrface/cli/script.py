"""Error messages of the repository's scripts: as those of ``rdrface``, with the script's name."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from rdrface.errors import ConfigError, RdrError


def error_status(error: Exception) -> int:
    """Exit status after an error: 2 for options that cannot be used, as of `argparse`, otherwise 1."""
    return 2 if isinstance(error, ConfigError) else 1


def reports_errors(main: Callable[[], int | None]) -> Callable[[], int]:
    """Decorator for the main function of a script: prints an error as one line instead of a traceback.

    These are `RdrError` and errors of the operating system, such as a folder that cannot be created.

    Args:
        main: reads the command line and does the work; returns the exit status, or None for 0.

    Returns:
        The function, which returns the exit status.
    """
    name = Path(main.__code__.co_filename).name

    @wraps(main)
    def reporting() -> int:
        try:
            return main() or 0
        except (RdrError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return error_status(error)

    return reporting
