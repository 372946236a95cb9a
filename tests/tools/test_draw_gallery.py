"""The tool that draws the pictures of docs/gallery.md, at a small size."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("skimage.data")
pytest.importorskip("cv2")

TOOLS = Path(__file__).resolve().parents[2] / "tools"
WIDTH = 600


@pytest.fixture(scope="module")
def tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        import draw_gallery
        from gallery import moving

        patch.setattr(moving, "SECONDS", {"occlusion": (0.0, 0.1)})
        yield draw_gallery


@pytest.fixture(scope="module")
def photo(tool):
    return tool.Photo()


@pytest.mark.parametrize(
    "name",
    ["landmarks", "turned", "contour", "hidden", "degraded", "people", "sides", "expressions", "clip", "page", "model"],
)
def test_a_picture_is_drawn(tool, photo, name):
    from gallery import sheet

    picture = tool.PICTURES[name](photo, WIDTH)
    assert picture.width == WIDTH and picture.height > 100
    # Neither the card alone nor text alone.
    assert (np.abs(np.asarray(picture, float) - sheet.CARD) > 8).any(axis=2).mean() > 0.5


def test_every_picture_is_tested(tool):
    (mark,) = test_a_picture_is_drawn.pytestmark
    assert sorted(mark.args[1]) == sorted(tool.PICTURES)


def test_expected_errors_grow_with_less_detail(photo):
    from gallery import still

    image, face = photo.close_up(220)
    for changes in ([still.reduced(pixels) for pixels in (100, 20, 8)], [still.blurred(x) for x in (0, 0.025, 0.07)]):
        errors = []
        for change in changes:
            changed = np.asarray(change(still.Image.fromarray(image)))
            errors.append(photo.aligner.align(changed, face.box[None])[0].expected_error)
        assert errors == sorted(errors)


def test_an_unknown_picture_is_an_error_that_lists_the_names(tool, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["draw_gallery.py", "hiden", "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        tool.main()
    assert "hiden" in (printed := capsys.readouterr().err) and "hidden" in printed
    assert not list(tmp_path.iterdir())
