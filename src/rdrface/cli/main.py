"""The command ``rdrface``. Each subcommand is a module of this package, imported only when it is called.

Exit status: 0 success, 1 some inputs failed or the work could not be finished, 2 invalid usage, 130 interrupted.
"""

import argparse
import importlib
import io
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from rdrface._version import __version__
from rdrface.cli.script import discard_output, error_status
from rdrface.errors import RdrError
from rdrface.files import is_disk_full, one_line


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Attributes:
        module: name of the module, with ``add_arguments(parser)`` and ``run(args) -> int``, the exit status.
        help: one line of help.
    """

    module: str
    help: str


# Every command calls its output -o, --output. The --out of release 0.1 is accepted as its abbreviation.
COMMANDS = {
    "detect": Command("rdrface.cli.detect", "find and align the faces of images"),
    "track": Command("rdrface.cli.track", "follow the faces of videos and cameras"),
    "serve": Command("rdrface.cli.serve", "serve the web page and the HTTP API"),
    "annotate": Command("rdrface.cli.annotate", "find the faces of a collection of photos, in Parquet files"),
    "bench": Command("rdrface.cli.bench", "measure speed, start-up time and memory on this machine"),
    "evaluate": Command("rdrface.cli.evaluate", "run the protocol of a public dataset"),
    "fit": Command("rdrface.cli.fit", "fit the 3D face to annotated images"),
    "train": Command("rdrface.cli.train", "train the network"),
    "finetune": Command("rdrface.cli.finetune", "fine-tune the weights to other landmarks"),
    "export": Command("rdrface.cli.export", "write the weights file of a training run"),
    "quantize": Command("rdrface.cli.quantize", "write the int8 graph of a weights file"),
    "hub": Command("rdrface.cli.hub", "write weights as a folder for the Hugging Face Hub"),
}

_EXTRA_MODULES = {
    "cv2": "train",
    "torch": "train",
    "lightning_fabric": "train",
    "onnx": "train",
    "onnxscript": "train",
    "scipy": "evaluate",
    "h5py": "evaluate",
    "matplotlib": "evaluate",
    "anny": "build",
    "fastapi": "serve",
    "starlette": "serve",
    "uvicorn": "serve",
    "python_multipart": "serve",
    "prometheus_client": "serve",
    "pydantic": "serve",
}
"""Module that is installed by an extra -> name of the extra."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    _escape_unprintable()
    parser = argparse.ArgumentParser(
        prog="rdrface", description="Facial landmarks, pose and a 3D face for images up to full profile."
    )
    parser.add_argument("--version", action="version", version=f"rdrface {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    # Only the module of the requested command is imported: `rdrface --help` is fast, and a missing extra is an error
    # only for the commands that need it.
    requested = next((word for word in arguments if not word.startswith("-")), None)
    module = None
    try:
        for name, command in COMMANDS.items():
            subparser = subparsers.add_parser(
                name, help=command.help, description=command.help[:1].upper() + command.help[1:] + "."
            )
            if name == requested:
                module = importlib.import_module(command.module)
                module.add_arguments(subparser)
        args = parser.parse_args(arguments)
        if module is None:
            parser.error("a command is missing; see rdrface --help")
        status = int(module.run(args))
        # Here and not at exit, where Python reports a closed pipe itself.
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        return status
    except ModuleNotFoundError as error:
        root = (error.name or "").partition(".")[0]
        if root not in _EXTRA_MODULES:
            raise
        # OpenCV is in both of these extras; that of evaluation is much smaller.
        extra = "evaluate" if (requested, root) == ("evaluate", "cv2") else _EXTRA_MODULES[root]
        _print_error(f"`rdrface {requested}` needs {root}, which is not installed: pip install 'rdrface[{extra}]'")
        return 2
    except RdrError as error:
        _print_error(str(error))
        return error_status(error)
    except KeyboardInterrupt:
        _print_error("interrupted")
        return 130
    except BrokenPipeError:
        # The reader of the output has exited, as in `rdrface detect ... | head`.
        discard_output()
        return 1
    except OSError as error:
        if not (discard_output() or is_disk_full(error)):
            raise
        _print_error(f"cannot write standard output: {error.strerror or error}")
        return 1


def _print_error(message: str) -> None:
    lines = "\n".join(map(one_line, message.split("\n")))
    with suppress(OSError):
        print(f"rdrface: {lines}", file=sys.stderr, flush=True)
    discard_output()


def _escape_unprintable() -> None:
    """Print characters that the terminal's encoding lacks, in file names for example, as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
