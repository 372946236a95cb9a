"""README.md of a folder for the Hub: the model card, made from the metadata of the weights and the facts of `facts`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rdrface.files import one_line
from rdrface.hub.facts import Measurement, dataset_table, datasets, measurements, table, text
from rdrface.hub.front_matter import front_matter, identifier
from rdrface.network.sizes import FULL
from rdrface.runtime.weights import WeightsInfo

_LINK = re.compile(r"\[[^\]]*\]\((\w+\.md)[^)]*\)")
_MODEL = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def is_model_name(name: str) -> bool:
    """Whether a text has the form of a model's name on the Hub, USER/NAME."""
    return _MODEL.fullmatch(name) is not None


def model_card(info: WeightsInfo, config: Mapping[str, Any], model: str, license: str | None) -> str:
    """Text of README.md.

    The card of the packaged weights has their measured errors, training data and known failures; that of other weights
    has what their metadata contain.

    Args:
        info: metadata of the weights.
        config: content of ``config.json``, see `rdrface.hub.config.describe_weights`.
        model: name on the Hub, USER/NAME.
        license: identifier of the license on the Hub; None leaves the field out.
    """
    packaged = measurements(info.checksum)
    results = _stored_results(info, config) if packaged is None else packaged
    name = model.partition("/")[2]
    sections = [
        f"# {name}\n",
        _introduction(info, config),
        "## Use\n",
        _use(model, name),
        "## Files\n",
        _files(config),
        "## Intended uses\n",
        text("uses.md"),
    ]
    if results:
        sections += ["## Measurements\n", _measured(results, is_packaged=packaged is not None)]
    sections.append("## Training data\n")
    if packaged is None:
        sections.append(_stored_data(info))
    else:
        sections += [dataset_table(), text("training_data.md"), "## Known failures\n"]
        if info.config.get("network") != FULL.name:
            sections.append("The figures of this section are those of the full network.\n")
        sections.append(text("known_failures.md"))
    sections.append("`docs/` is the documentation in the repository of rdrface.\n")
    body = _LINK.sub(r"`docs/\1`", "\n".join(sections))
    return front_matter(info, name, results, license) + "\n" + body


def _introduction(info: WeightsInfo, config: Mapping[str, Any]) -> str:
    network = config["network"]
    sizes = " and ".join(map(str, info.sizes))
    lines = [
        "Facial landmarks, head pose and a 3D face for images up to full profile: weights of rdrface "
        f"{_plain(info.version)}, an implementation of Recurrent 3D-2D Dual Learning (ICCV 2017). Network "
        f"`{_plain(str(network['name']))}`, K = {info.iterations} refinement steps, "
        f"{network['parameters'] / 1e6:.1f} million parameters, crops of {sizes} px.\n"
    ]
    if info.custom_scheme is not None:
        scheme = info.custom_scheme
        lines.append(
            f"Fine-tuned to the annotation scheme {_plain(scheme.name)}: `Face.custom_landmarks` has its "
            f"{scheme.count} points, in addition to the 68 landmarks.\n"
        )
    return "\n".join(lines)


def _use(model: str, name: str) -> str:
    return (
        "Install rdrface with `pip install .` in a clone of its repository. It does not download; "
        "`hf` is the command of huggingface_hub:\n\n"
        f"    hf download {model} --local-dir {name}\n\n"
        "```python\n"
        "import rdrface\n\n"
        f'aligner = rdrface.load("{name}")\n'
        'for face in aligner.detect("photo.jpg"):\n'
        "    print(face.landmarks, face.pose.yaw, face.visibility)\n"
        "```\n\n"
        "The face detector is part of rdrface, not of this folder.\n"
    )


def _files(config: Mapping[str, Any]) -> str:
    rows = [(f"`{config['weights']}`", "all tensors, and the metadata of the weights")]
    rows += [
        (f"`{graph['file']}`", f"ONNX graph, {graph['precision']}, crops of {graph['crop_size']} px")
        for graph in config["graphs"]
    ]
    note = (
        "\nThe graphs refer to the tensors by file name: keep the files in one folder, under these names. "
        "`config.json` has their checksums, and the input and the outputs of the graphs.\n"
    )
    return table(("file", "content"), [*rows, ("`config.json`", "description for programs")]) + note


def _measured(results: Sequence[Measurement], is_packaged: bool) -> str:
    rows = [(_plain(one.name), _plain(one.metric), f"{one.value:g}") for one in results]
    explained = (
        "NME: mean error divided by √(w·h) of the box of the annotated landmarks, in which the faces are aligned. "
        "`docs/results.md` and `docs/speed.md` have the commands.\n"
        if is_packaged
        else "As stored in the weights file by the command that wrote it.\n"
    )
    return table(("dataset", "measure", "value"), rows) + "\n" + explained


def _stored_results(info: WeightsInfo, config: Mapping[str, Any]) -> tuple[Measurement, ...]:
    scheme = info.custom_scheme
    names = (scheme.name,) if scheme is not None else info.training_data
    name = ", ".join(names) or "not stated"
    dataset = identifier(scheme.format or scheme.name if scheme is not None else name)
    return tuple(Measurement(dataset, name, None, metric, value) for metric, value in config["metrics"].items())


def _stored_data(info: WeightsInfo) -> str:
    if not info.training_data:
        return "The weights file does not state its training data.\n"
    known = {dataset.reader: dataset for dataset in datasets()}
    rows = []
    for name in info.training_data:
        dataset = known.get(name)
        licensed = "not stated" if dataset is None else dataset.license
        rows.append(
            (_plain(name), "" if dataset is None else dataset.name.partition(":")[0].partition(",")[0], licensed)
        )
    return table(("name in the weights file", "dataset", "license of the images"), rows)


def _plain(value: str) -> str:
    """Text from a file, for a line or a cell of Markdown."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", one_line(value))
