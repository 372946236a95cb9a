"""Writing a folder in the layout of the Hugging Face Hub."""

import json
import secrets
import shutil
from pathlib import Path

from rdrface.errors import ConfigError, DataError, WeightsError
from rdrface.files import real_path
from rdrface.hub.card import model_card
from rdrface.hub.config import describe_weights
from rdrface.runtime import int8_graph
from rdrface.runtime.hub_folder import CONFIG, find_weights
from rdrface.runtime.weights import find_graph, graph_path, read_info, verify

CARD = "README.md"

_REPLACEABLE = (".safetensors", ".onnx")


def check_target(folder: Path, overwrite: bool) -> None:
    """Check that a folder can be written, before anything is copied.

    A folder with other files than those of the layout is never replaced: ``.git`` of a clone would be lost.

    Raises:
        ConfigError: there is a file of this name, or a folder that is not empty and must not be replaced.
    """
    if folder.is_dir():
        files = sorted(folder.iterdir())
        other = [file.name for file in files if not _is_of_layout(file)]
        if other:
            raise ConfigError(
                f"{folder} contains files that `rdrface hub` does not write, for example {other[0]}; name a new "
                "folder, and copy its files"
            )
        if files and not overwrite:
            raise ConfigError(f"{folder} exists; name another folder or pass --overwrite")
    elif folder.exists() or folder.is_symlink():
        raise ConfigError(f"{folder} is not a folder; name a new folder")


def write_hub_folder(
    weights: Path, folder: Path, *, model: str, license: str | None = None, overwrite: bool = False
) -> Path:
    """Write weights, their graphs, ``config.json`` and the model card.

    The files are written to another folder next to `folder`, which is renamed when it is complete.

    Args:
        weights: a weights file with its graphs; files may be symbolic links.
        folder: created, with the folders that contain it.
        model: name of the model on the Hub, USER/NAME, for the card.
        license: identifier of the license on the Hub; None leaves the field out.
        overwrite: replace an existing folder with files of this layout.

    Returns:
        Path of the weights file in `folder`.

    Raises:
        ConfigError: see `check_target`.
        WeightsError: a file is missing or damaged, or was not written by rdrface.
        DataError: a file cannot be written.
    """
    check_target(folder, overwrite)
    target = real_path(folder)
    partial = target.with_name(f".rdrface-{secrets.token_hex(4)}")
    try:
        partial.mkdir(parents=True)
        copied = _copy(weights, partial)
        config = describe_weights(copied)
        (partial / CONFIG).write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        card = model_card(read_info(copied)[0], config, model, license)
        (partial / CARD).write_text(card, encoding="utf-8", newline="\n")
        find_weights(partial)
        _replace(target, partial)
    except OSError as error:
        raise DataError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder / copied.name


def _is_of_layout(file: Path) -> bool:
    return not file.is_dir() and (file.name in (CONFIG, CARD) or file.suffix in _REPLACEABLE)


def _copy(weights: Path, folder: Path) -> Path:
    """Copy the weights file and its graphs under the names that the graphs contain, and verify them."""
    info, _ = read_info(weights)
    name = str(info.config.get("file_name", weights.name))
    if Path(name).name != name or not name.endswith(".safetensors") or name.startswith("."):
        raise WeightsError(
            f"{weights} is damaged: its metadata contain the file name {name!r}; export the weights again"
        )
    copied = folder / name
    shutil.copyfile(weights, copied)
    for size in info.sizes:
        for suffix in (info.graph_suffix(size), int8_graph.suffix(info, size)):
            graph = find_graph(weights, suffix)
            if graph.is_file():
                shutil.copyfile(graph, graph_path(copied, suffix))
            elif suffix == info.graph_suffix(size):
                raise WeightsError(
                    f"{graph} is missing: {weights.name} and its graph {graph.name} must be in the same folder"
                )
        int8 = graph_path(copied, int8_graph.suffix(info, size))
        verify(copied, info, size)
        if int8.is_file() and not int8_graph.is_sealed(int8.read_bytes(), info, size):
            raise WeightsError(
                f"{find_graph(weights, int8_graph.suffix(info, size))} does not belong to {weights.name}, or is "
                "damaged: write it again with `rdrface quantize`, or remove it"
            )
    return copied


def _replace(target: Path, complete: Path) -> None:
    """Rename a complete folder, after an existing one has been renamed; the latter comes back if this fails."""
    if not target.exists():
        complete.rename(target)
        return
    earlier = complete.with_name(complete.name + "-old")
    target.rename(earlier)
    try:
        complete.rename(target)
    except OSError:
        earlier.rename(target)
        raise
    shutil.rmtree(earlier, ignore_errors=True)
