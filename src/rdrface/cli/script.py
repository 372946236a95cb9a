"""Ends of programs: exit status, output that cannot be written, and the error messages of the repository's scripts."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path

from rdrface.errors import ConfigError, RdrError
from rdrface.files import one_line


def error_status(error: RdrError) -> int:
    """Exit status after an error: 2 for options that cannot be used, as of `argparse`, otherwise 1."""
    return 2 if isinstance(error, ConfigError) else 1


def discard_output() -> bool:
    """Discard output that cannot be written, so that Python does not report it again at exit.

    Returns:
        Whether output was discarded.
    """
    is_discarded = False
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            is_discarded = True
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except (AttributeError, ValueError):  # closed
            continue
    return is_discarded


def reports_errors(main: Callable[[], int | None]) -> Callable[[], int]:
    """Decorator for the main function of a script: prints an error as one line instead of a traceback.

    These are `RdrError` and errors of the operating system, such as a folder that cannot be created. A reader of the
    output that exits, as in ``SCRIPT | head``, is no error.

    Args:
        main: reads the command line and does the work; returns the exit status, or None for 0.

    Returns:
        The function, which returns the exit status.
    """
    name = Path(main.__code__.co_filename).name

    @wraps(main)
    def reporting() -> int:
        try:
            status = main() or 0
            sys.stdout.flush()
            return status
        except BrokenPipeError:
            discard_output()
            return 1
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            print(f"{name}: {one_line(where + (error.strerror or str(error)))}", file=sys.stderr)
            return 1
        except RdrError as error:
            print(f"{name}: {one_line(str(error))}", file=sys.stderr)
            return error_status(error)

    return reporting
