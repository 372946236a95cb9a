"""Reading a folder in the layout of the Hugging Face Hub, as `rdrface hub` writes it and `hf download` copies it.

The folder contains one weights file with its graphs, ``config.json`` and ``README.md``, the model card. Only the
weights file and the graphs are needed to find faces; ``config.json`` describes them for programs, and identifies the
folder. Nothing is downloaded, and the package huggingface_hub is not needed.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from rdrface.errors import DataError, WeightsError
from rdrface.files import read_text
from rdrface.runtime.weights import read_info

CONFIG = "config.json"
"""Name of the description. The Hub counts downloads of a model by requests for this file."""

LIBRARY = "rdrface"
"""Value of "library" in the description, and of library_name in the model card."""

LAYOUT_VERSION = 1
"""Value of "layout_version"; a larger one is refused."""

_MODEL_ON_HUB = re.compile(
    r"(?P<address>hf://|https?://(?:www\.)?(?:huggingface\.co|hf\.co)/)?(?P<model>[A-Za-z0-9][\w.-]*/[\w.-]+)"
)
_LFS_POINTER = b"version https://git-lfs"
_AGAIN = "download the whole folder again"


def is_hub_folder(path: Path) -> bool:
    """Whether a path is a folder with a ``config.json``."""
    return (path / CONFIG).is_file()


def local_weights(weights: Path | str) -> Path:
    """Path of a weights file.

    Args:
        weights: a weights file, a folder in the layout of the Hub, or the name of a model on the Hub.

    Returns:
        For a folder, its weights file. Any other path without change: it may still not exist.

    Raises:
        WeightsError: the folder cannot be used (see `find_weights`), or it is the name of a model on the Hub.
    """
    path = Path(weights)
    try:
        is_folder, exists = path.is_dir(), path.exists()
        if "\0" in str(path):
            raise WeightsError(f"the path of the weights contains a null character: {str(path)!r}")
    except OSError:  # a name that is too long, for example: reported when the file is opened
        return path
    if is_folder:
        return find_weights(path)
    model = model_on_hub(str(weights))
    if model is not None and path.suffix != ".safetensors" and not exists:
        folder = model.partition("/")[2]
        raise WeightsError(
            f"there is no file or folder {weights}. If this is a model on the Hugging Face Hub: rdrface does not "
            f"download; run `hf download {model} --local-dir {folder}` and give the folder {folder}"
        )
    return path


def model_on_hub(text: str) -> str | None:
    """USER/NAME, if a text is the name of a model on the Hub or the address of its page; otherwise None."""
    match = _MODEL_ON_HUB.match(text)
    # Only an address may continue, for example with /tree/main.
    if match is None or (match.end() != len(text) and (match["address"] is None or text[match.end()] not in "/?#")):
        return None
    return match["model"]


def find_weights(folder: Path) -> Path:
    """Path of the weights file in a folder in the layout of the Hub.

    The folder may be a snapshot in the cache of the Hub, whose files are symbolic links. The checksums of the graphs
    are compared with ``config.json``, and the one in the header of the weights file; its tensors are verified when they
    are loaded (`rdrface.runtime.weights.verify`).

    Raises:
        WeightsError: the folder is not in this layout or is not complete, it has several weights files, its
            ``config.json`` is damaged or was written for other files, or by a newer version.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not is_hub_folder(folder):
        raise WeightsError(f"{folder} is a folder without {CONFIG}, not one written by `rdrface hub`; {_hint(folder)}")
    path, config = folder / CONFIG, _read_config(folder / CONFIG)
    if len(files) > 1:
        raise WeightsError(
            f"{folder} contains {len(files)} weights files: {', '.join(file.name for file in files)}. Give the path of "
            f"one of them, or remove all but that of {CONFIG}"
        )
    try:
        name, checksum, graphs = config["weights"], config["tensors_sha256"], config["graphs"]
        listed = {str(graph["file"]): str(graph["sha256"]) for graph in graphs}
    except (KeyError, TypeError) as error:
        raise WeightsError(f"{path} is not complete or damaged ({error!r}); {_AGAIN}") from error
    if not files:
        raise WeightsError(f"{folder} does not contain its weights file, {name}; {_AGAIN}")
    weights = files[0]
    if weights.name != name:
        raise WeightsError(f"{path} describes {name}, but the weights file is {weights.name}; {_AGAIN}")
    _refuse_pointer(weights)
    if read_info(weights)[0].checksum != checksum:
        raise WeightsError(f"{path} and {weights.name} do not belong together: their checksums differ; {_AGAIN}")
    for graph_name, expected in listed.items():
        _check_graph(folder, graph_name, expected)
    return weights


def _hint(folder: Path) -> str:
    for inner in (folder, folder / "weights"):
        files = sorted(inner.glob("*.safetensors"))
        # The packed faces of a training run are safetensors files, too.
        if files and (inner != folder or files[0].with_suffix(".onnx").is_file()):
            return f"give the path of a weights file, for example {files[0]}"
    return "give the path of a weights file NAME.safetensors, or a complete download of a model"


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(read_text(path, "description of a model"))
    except DataError as error:
        raise WeightsError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is not JSON ({error}); {_AGAIN}") from error
    if not isinstance(config, dict) or config.get("library") != LIBRARY:
        raise WeightsError(
            f'{path} does not have "library": "{LIBRARY}": this folder is a model for other software, or was not '
            "written by `rdrface hub`"
        )
    version = config.get("layout_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise WeightsError(f'{path} is damaged: "layout_version" is {version!r}; {_AGAIN}')
    if version > LAYOUT_VERSION:
        raise WeightsError(f"{path} was written by a newer version of rdrface; update the package")
    return config


def _check_graph(folder: Path, name: str, checksum: str) -> None:
    graph = folder / name
    if graph.name != name:
        raise WeightsError(f"{folder / CONFIG} is damaged: a graph is called {name!r}, not a file name; {_AGAIN}")
    try:
        content = graph.read_bytes()
    except (OSError, ValueError) as error:
        raise WeightsError(f"the graph {graph} cannot be read: {error}; {_AGAIN}") from error
    _refuse_pointer(graph)
    if hashlib.sha256(content).hexdigest() != checksum:
        raise WeightsError(f"{graph} is not the file of {CONFIG}, or is damaged: its SHA-256 differs; {_AGAIN}")


def _refuse_pointer(path: Path) -> None:
    try:
        with path.open("rb") as file:
            is_pointer = file.read(len(_LFS_POINTER)) == _LFS_POINTER
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}; {_AGAIN}") from error
    if is_pointer:
        raise WeightsError(
            f"{path} is a pointer of Git LFS, not the file itself: run `git lfs pull` in the folder, or `hf download`"
        )
