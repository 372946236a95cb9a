"""The model card: its metadata can be read as YAML, and its facts are those of the weights."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rdrface.hub.card import is_model_name, model_card
from rdrface.hub.config import OUTPUT_SHAPES, describe_weights
from rdrface.hub.front_matter import front_matter
from rdrface.loading import LITE_WEIGHTS, PACKAGED_WEIGHTS
from rdrface.runtime.session import OUTPUTS
from rdrface.runtime.weights import read_info
from small_weights import small_weights

yaml = pytest.importorskip("yaml")


def _card(weights: Path, license: str | None = None) -> tuple[dict[str, Any], str]:
    card = model_card(read_info(weights)[0], describe_weights(weights), "me/mine", license)
    assert card.startswith("---\n")
    matter, _, body = card[4:].partition("\n---\n")
    return yaml.safe_load(matter), body


def test_the_card_of_own_weights_has_what_their_metadata_contain(tmp_path: Path) -> None:
    metadata, body = _card(small_weights(tmp_path))
    assert (metadata["library_name"], metadata["pipeline_tag"]) == ("rdrface", "keypoint-detection")
    assert "license" not in metadata
    assert metadata["datasets"] == ["merl_rav"]  # "my | points" could be the name of another dataset on the Hub
    (index,) = metadata["model-index"]
    assert index["name"] == "mine"
    (result,) = index["results"]
    assert result["dataset"] == {"type": "my-points", "name": "my points"}
    assert result["metrics"][0]["value"] == 2.5
    assert "`Face.custom_landmarks` has its 3 points" in body
    assert "| my \\| points |  | not stated |" in body
    assert "| merl\\_rav | MERL-RAV | research use only |" in body
    assert "hf download me/mine --local-dir mine" in body
    # They are measurements of the packaged weights.
    assert "Known failures" not in body and "2.19" not in body


@pytest.mark.parametrize("weights", [PACKAGED_WEIGHTS, LITE_WEIGHTS], ids=["full", "lite"])
def test_the_card_of_packaged_weights_has_their_measurements_and_limits(weights: Path) -> None:
    if not weights.is_file():
        pytest.skip("no packaged weights")
    metadata, body = _card(weights, "mit")
    assert metadata["license"] == "mit"
    assert metadata["datasets"] == list(read_info(weights)[0].training_data)
    results = metadata["model-index"][0]["results"]
    assert [len(result["metrics"]) for result in results] == [1, 2]
    for heading in ("## Intended uses", "## Measurements", "## Training data", "## Known failures"):
        assert heading in body
    assert ".md)" not in body  # the links of the documentation lead nowhere on the Hub
    assert ("figures of this section are those of the full network" in body) == (weights == LITE_WEIGHTS)


def test_texts_of_a_weights_file_cannot_break_the_card(tmp_path: Path) -> None:
    hostile = 'x"\n---\n# <script>\u2028\x7f: [1]'
    weights = small_weights(
        tmp_path, version=hostile, training_data=(hostile,), metrics={hostile: 1.5, "text": "x", "nan": float("nan")}
    )
    info = replace(read_info(weights)[0], custom_scheme=None)
    card = model_card(info, describe_weights(weights), "me/mine", None)
    metadata = yaml.safe_load(card[4:].partition("\n---\n")[0])
    (result,) = metadata["model-index"][0]["results"]
    assert len(result["metrics"]) == 1
    assert "\n# <script>" not in card and "\n# mine\n" in card
    json.dumps(describe_weights(weights), allow_nan=False)


def test_weights_without_metadata_have_a_card(tmp_path: Path) -> None:
    metadata, body = _card(small_weights(tmp_path, training_data=(), metrics={}, custom_scheme=None))
    assert "model-index" not in metadata and "datasets" not in metadata
    assert "## Measurements" not in body
    assert "does not state its training data" in body


def test_every_output_has_a_shape() -> None:
    assert tuple(OUTPUT_SHAPES) == OUTPUTS


@pytest.mark.parametrize("weights", [PACKAGED_WEIGHTS, LITE_WEIGHTS], ids=["full", "lite"])
def test_the_outputs_of_the_graphs_are_those_of_config(weights: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    if not weights.is_file():
        pytest.skip("no packaged weights")
    config = describe_weights(weights)
    for graph in config["graphs"]:
        outputs = onnxruntime.InferenceSession(weights.with_name(graph["file"])).get_outputs()
        assert {one.name: ["batch", *one.shape[1:]] for one in outputs} == config["outputs"]


def test_names_of_models() -> None:
    assert is_model_name("me/rdr-lite_2.0")
    assert not any(map(is_model_name, ("rdr", "me/", "a/b/c", "me/x y", "../x")))


def test_front_matter_is_plain_yaml_for_other_characters(tmp_path: Path) -> None:
    info = read_info(small_weights(tmp_path))[0]
    matter = front_matter(info, "für 😀", (), "cc-by-nc-4.0")
    assert yaml.safe_load(matter.strip("-\n"))["license"] == "cc-by-nc-4.0"
