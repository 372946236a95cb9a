"""The metadata of a model card: the YAML between two lines ``---`` at the beginning of README.md.

The fields are those of the specification of the Hub (github.com/huggingface/hub-docs, modelcard.md).
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rdrface.files import one_line
from rdrface.hub.facts import Measurement, datasets
from rdrface.runtime.hub_folder import LIBRARY
from rdrface.runtime.weights import WeightsInfo

TASK = "keypoint-detection"
"""The Hub's name of the task, which is also the filter under which it lists the model."""

_METRIC = "nme"
_TAGS = ("face-alignment", "facial-landmarks", "head-pose-estimation", "3d-face", "onnx", "openvino")


def front_matter(info: WeightsInfo, name: str, results: Sequence[Measurement], license: str | None) -> str:
    """The lines from ``---`` to ``---``.

    Args:
        info: metadata of the weights.
        name: name of the model.
        results: measured errors.
        license: identifier of the license on the Hub; None leaves the field out.
    """
    known = {dataset.reader for dataset in datasets()}
    # Other names are those of a user's own images, and could be those of other datasets on the Hub.
    trained_on = [dataset for dataset in info.training_data if dataset in known]
    fields: dict[str, Any] = {} if license is None else {"license": license}
    fields |= {"library_name": LIBRARY, "pipeline_tag": TASK, "tags": list(_TAGS)}
    if trained_on:
        fields["datasets"] = trained_on
    if results:
        fields["metrics"] = [_METRIC]
        fields["model-index"] = [{"name": name, "results": _by_dataset(results)}]
    return "---\n" + _yaml(fields) + "---\n"


def identifier(text: str) -> str:
    """Text in lower case, with a hyphen instead of every other character; "custom" if nothing remains."""
    return re.sub(r"[^a-z0-9_.]+", "-", text.lower()).strip("-.") or "custom"


def _by_dataset(results: Sequence[Measurement]) -> list[dict[str, Any]]:
    """An entry of model-index for each part of a dataset, with all its errors."""
    parts: dict[tuple[str, str, str | None], list[dict[str, Any]]] = {}
    for one in results:
        metric = {"type": _METRIC, "name": one.metric, "value": one.value}
        parts.setdefault((one.dataset, one.name, one.split), []).append(metric)
    entries = []
    for (dataset, name, split), metrics in parts.items():
        described = {"type": dataset, "name": name} | ({} if split is None else {"split": split})
        entries.append({"task": {"type": TASK}, "dataset": described, "metrics": metrics})
    return entries


def _yaml(value: Any, indent: str = "") -> str:
    """Mappings and lists as indented lines; texts in double quotes, as in JSON, which YAML reads likewise."""
    if isinstance(value, Mapping):
        items = [(f"{key}:", entry) for key, entry in value.items()]
    else:
        items = [("-", entry) for entry in value]
    lines = []
    for start, entry in items:
        if isinstance(entry, Mapping | list):
            nested = _yaml(entry, indent + "  ")
            # The first line of a list's entry follows the hyphen.
            lines.append(f"{indent}- {nested.lstrip(' ')}" if start == "-" else f"{indent}{start}\n{nested}")
        else:
            scalar = json.dumps(one_line(entry) if isinstance(entry, str) else entry, ensure_ascii=False)
            lines.append(f"{indent}{start} {scalar}\n")
    return "".join(lines)
