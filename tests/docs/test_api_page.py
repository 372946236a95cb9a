"""docs/api.md lists what the face model offers."""

from pathlib import Path

import rdrface
from rdrface.morphable.model import FaceModel

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_blendshape_is_listed() -> None:
    assert all(f"`{name}`" in PAGE for name in FaceModel.load().expression_names)


def test_the_page_is_generated_from_the_package() -> None:
    assert "::: rdrface\n" in PAGE and "::: rdrface.errors\n" in PAGE and "errors" in rdrface.__all__


def test_the_text_has_an_example_of_each_method() -> None:
    text = PAGE.partition("\n:::")[0]
    for name in ("detect", "detect_with_dropped", "detect_batch", "align", "points", "mesh", "fit"):
        assert f".{name}(" in text, name
