"""Command-line options that several commands share, and checks of their values."""

import argparse
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdrface.errors import ConfigError, DataError
from rdrface.files import check_output
from rdrface.runtime.device import DEVICES
from rdrface.runtime.hub_folder import is_hub_folder
from rdrface.runtime.precision import PRECISIONS, RequestedPrecision
from rdrface.runtime.session import BACKENDS

if TYPE_CHECKING:
    from rdrface.aligner import Aligner


def add_output(parser: argparse.ArgumentParser, metavar: str, help: str) -> None:
    """Add the required option ``-o``, ``--output``, whose value is the attribute `out`.

    Args:
        parser: parser of the command.
        metavar: placeholder of the value in the help text.
        help: the help text.
    """
    parser.add_argument("-o", "--output", dest="out", type=Path, required=True, metavar=metavar, help=help)


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--overwrite``, without which `refuse_existing` protects the files of earlier runs."""
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")


def weights_file(text: str) -> Path:
    """Value of ``--weights``: the path of a weights file or of its folder, or "lite": see `weights_path`."""
    # Imported here, so that commands without this option start faster.
    from rdrface.loading import weights_path

    return weights_path(text)


def weights_or_run(text: str) -> Path:
    """Value of ``--from``: as `weights_file`, or the folder of a training run."""
    from rdrface.loading import LITE

    path = Path(text)
    return path if text != LITE and path.is_dir() and not is_hub_folder(path) else weights_file(text)


def start_weights(text: str) -> Path:
    """Value of ``--from`` of `rdrface train`: a path, "packaged" or "lite" for the packaged weights."""
    from rdrface.loading import LITE, LITE_WEIGHTS, PACKAGED, PACKAGED_WEIGHTS

    return {PACKAGED: PACKAGED_WEIGHTS, LITE: LITE_WEIGHTS}.get(text, Path(text))


def add_precision(parser: argparse._ActionsContainer, default: RequestedPrecision = "auto") -> None:
    """Add the option ``--precision``, whose value is the argument `precision` of `rdrface.load`."""
    auto = "the fastest that costs less than 0.05 %% NME"
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default=default,
        help=f"precision of the networks; auto is {auto} (default: {default})",
    )


def add_size(parser: argparse._ActionsContainer) -> None:
    """Add the option ``--size``, whose value is the argument `size` of `rdrface.load`."""
    parser.add_argument(
        "--size",
        type=positive,
        metavar="N",
        help="side of the network's crops in pixels, one of those of the weights file (default: the file's default)",
    )


def add_device_and_backend(parser: argparse._ActionsContainer) -> None:
    """Add ``--device`` and ``--backend``, None by default: see `rdrface.runtime.device.choose_execution`."""
    parser.add_argument(
        "--device", choices=DEVICES, help="cuda is an NVIDIA GPU and needs onnxruntime-gpu (default: cpu)"
    )
    parser.add_argument(
        "--backend", choices=BACKENDS, help="inference backend (default: openvino on cpu, onnxruntime on cuda)"
    )


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the network and how it runs: those of `rdrface.load` with the same names."""
    network = parser.add_argument_group("network")
    network.add_argument(
        "--weights",
        type=weights_file,
        metavar="FILE|DIR|lite",
        help="weights file, its folder from the Hugging Face Hub, or lite for the packaged light weights, faster and "
        "less accurate (default: the packaged full weights)",
    )
    add_device_and_backend(network)
    add_precision(network)
    add_size(network)
    network.add_argument(
        "--threads", type=positive, metavar="N", help="number of threads (default: the backend chooses)"
    )


def network_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments of `rdrface.load` for the options of `add_network`, without the weights; JSON values."""
    return {name: getattr(args, name) for name in ("device", "backend", "threads", "precision", "size")}


def open_aligner(weights: Path | None, settings: dict[str, Any]) -> "Aligner":
    """`rdrface.load` for a command.

    Args:
        weights: value of --weights.
        settings: keyword arguments of `rdrface.load`.

    Raises:
        RdrError: the weights or the settings cannot be used.
    """
    from rdrface.loading import load

    try:
        return load(weights, **settings)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def refuse_existing(paths: Iterable[Path | None], overwrite: bool) -> None:
    """Check that no output file would be replaced unintentionally. To be called before anything slow.

    Args:
        paths: files to write; None for an option that was not given.
        overwrite: value of ``--overwrite``.

    Raises:
        ConfigError: a file exists, and `overwrite` is False; or a path is that of a folder, or cannot be used.
    """
    for path in filter(None, paths):
        try:
            is_file, is_folder = path.is_file(), path.is_dir()
        except OSError as error:  # a name that is too long, for example
            raise ConfigError(f"cannot write {path}: {error.strerror or error}; name another file") from error
        if is_folder:
            raise ConfigError(f"cannot write {path}: it is a folder; name a file")
        if is_file and not overwrite:
            raise ConfigError(f"{path} exists; name another file or pass --overwrite")


def check_output_files(paths: Iterable[Path | None], overwrite: bool) -> None:
    """As `refuse_existing`, for files in folders that the command does not create.

    Raises:
        ConfigError: see `refuse_existing`; also if a file cannot be written.
    """
    given = [path for path in paths if path is not None]
    for path in given:
        try:
            check_output(path)
        except DataError as error:
            raise ConfigError(str(error)) from error
    refuse_existing(given, overwrite)


def check_suffix(option: str, path: Path | None, suffixes: Collection[str]) -> None:
    """Check that the name of an output file ends in one of `suffixes`, for example ".png".

    Raises:
        ConfigError: it does not.
    """
    if path is not None and path.suffix.lower() not in suffixes:
        raise ConfigError(f"the name of the file for {option} must end in {' or '.join(suffixes)}; got {path}")


def positive(text: str) -> int:
    """Value of an option that takes a whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1; got {text}")
    return value


def check_minutes(minutes: float | None) -> None:
    """Check the value of ``--minutes``; None is no limit.

    Raises:
        ConfigError: it is negative or no number.
    """
    if minutes is not None and not minutes >= 0:
        raise ConfigError(f"--minutes must be 0 or more; got {minutes:g}")


def create_folder(folder: Path, advice: str, target: Path | str | None = None) -> None:
    """Create a folder for outputs, and the folders that contain it, if it does not exist.

    Args:
        folder: the folder.
        advice: what to do if it cannot be created, for the message.
        target: the file to write into the folder, if there is only one.

    Raises:
        ConfigError: the folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        if target is None:
            raise ConfigError(f"the folder {folder} cannot be created ({reason}); {advice}") from error
        raise ConfigError(
            f"cannot write {target}: its folder {folder} cannot be created ({reason}); {advice}"
        ) from error
