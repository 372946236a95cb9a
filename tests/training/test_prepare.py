"""Preparation of the faces of a run: offsets, rendered faces, packs and their settings."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from rdrface.datasets.packing import pack, pack_inside
from rdrface.datasets.synthetic import draw_faces
from rdrface.errors import ConfigError, DataError
from rdrface.training import prepare
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.prepare import prepare_faces, read_faces

CONFIG = TrainingConfig((StageConfig("joint", 1),), packed_size=48, validation_fraction=0.0)


def test_faces_with_closed_eyes_are_rendered_once_and_packed_with_the_others(tmp_path: Path) -> None:
    records = draw_faces(tmp_path / "faces", 100, seed=4)
    for path, points in zip(records.image, records.points, strict=True):
        # Synthetic faces have light eyes; in photos the eyes are darker than the skin.
        image = np.full_like(cv2.imread(str(path)), 160)
        for eye in (points[36:42], points[42:48]):
            cv2.fillPoly(image, [np.rint(eye).astype(np.int32)], [40, 30, 20])
        cv2.imwrite(str(path), image)
    records.save(tmp_path / "faces.npz")
    config = TrainingConfig(
        stage=(StageConfig(train="joint", steps=1),), packed_size=96, validation_fraction=0.0, closed_eye_copies=2
    )
    for name in ("run", "plain"):
        (tmp_path / name).mkdir()
    data = [str(tmp_path / "faces.npz")]
    faces, _ = prepare_faces(config, data, None, tmp_path / "run")
    plain, _ = prepare_faces(replace(config, closed_eye_copies=0), data, None, tmp_path / "plain")
    rendered = np.array([faces.source_names[i].endswith("/closed") for i in faces.source])
    assert rendered.sum() == 2
    np.testing.assert_array_equal(faces.images[~rendered], plain.images)
    again, _ = prepare_faces(config, data, None, tmp_path / "run")
    np.testing.assert_array_equal(again.Q, faces.Q)


def test_the_annotation_offset_is_subtracted_before_the_fit(tmp_path: Path) -> None:
    drawn = draw_faces(tmp_path / "drawn", 2)
    folder = tmp_path / "300w" / "helen"
    folder.mkdir(parents=True)
    for i, image in enumerate(drawn.image):
        Image.open(image).save(folder / f"{i}.png")
        rows = "\n".join(f"{x + 1:.4f} {y + 1:.4f}" for x, y in drawn.outline[i])
        (folder / f"{i}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    data = [f"300w={folder.parent}"]
    plain, moved = (
        read_faces(replace(CONFIG, annotation_offset=offset), data, None, tmp_path)
        for offset in ({}, {"300w/helen": [1.0, -2.0]})
    )
    side = np.sqrt(np.ptp(plain.points, axis=1).prod(axis=1))[:, None, None]
    back = 100 * (plain.points - moved.points) / side
    np.testing.assert_allclose(back, np.broadcast_to([1.0, -2.0], back.shape), atol=0.01)
    fits = 100 * (plain.outline - moved.outline).mean(axis=(0, 1)) / side.mean()
    np.testing.assert_allclose(fits, [1.0, -2.0], atol=0.1)


@pytest.mark.parametrize(
    ("option", "value"),
    [("annotation_offset", {"helen": [1, 1]}), ("source_draws", {"helen": 2.0}), ("label_weight", {"helen": 0.5})],
)
def test_an_entry_for_an_unknown_source_is_refused_before_the_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, value: dict
) -> None:
    draw_faces(tmp_path / "faces", 2).save(tmp_path / "faces.npz")
    monkeypatch.setattr(prepare, "fit_records", lambda *_: pytest.fail("the fit takes minutes"))
    with pytest.raises(ConfigError, match=f"{option} has an entry 'helen'"):
        read_faces(replace(CONFIG, **{option: value}), [str(tmp_path / "faces.npz")], None, tmp_path)


def test_a_table_by_source_can_have_entries_for_rendered_faces(tmp_path: Path) -> None:
    draw_faces(tmp_path / "faces", 2).save(tmp_path / "faces.npz")
    data = [str(tmp_path / "faces.npz")]
    config = replace(CONFIG, face_profiling=1, source_draws={"synthetic/turned": 0.5})
    assert len(read_faces(config, data, None, tmp_path)) == 2
    with pytest.raises(ConfigError, match="source_draws has an entry 'synthetic/turned'"):
        read_faces(replace(config, face_profiling=0), data, None, tmp_path)


def test_packs_are_only_used_with_their_own_settings(tmp_path: Path) -> None:
    first, _ = prepare_faces(CONFIG, [], 4, tmp_path)
    again, _ = prepare_faces(replace(CONFIG, seed=5), [], None, tmp_path)
    np.testing.assert_array_equal(again.images, first.images)
    for change, message in (
        ({"annotation_offset": {"300w": [1.0, 0.0]}}, r"annotation_offset = \{\}, the configuration has .*300w"),
        ({"packed_size": 64}, "packed_size = 48, the configuration has packed_size = 64"),
        ({"face_profiling": 7}, "face_profiling = 0, the configuration has face_profiling = 7"),
    ):
        with pytest.raises(ConfigError, match=message):
            prepare_faces(replace(CONFIG, **change), [], None, tmp_path)


def test_packs_of_release_0_1_are_accepted_under_their_old_names_and_without_settings(tmp_path: Path) -> None:
    faces = pack(draw_faces(tmp_path / "faces", 3), 32)
    faces.save(tmp_path / "learn.safetensors")
    faces.select(np.arange(1)).save(tmp_path / "check.safetensors")
    train_faces, val_faces = prepare_faces(CONFIG, [], None, tmp_path)
    assert len(train_faces) == 3 and val_faces is not None and len(val_faces) == 1


def test_faces_outside_their_images_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = draw_faces(tmp_path / "faces", 3)
    assert records.outline is not None
    points, outline = records.points.copy(), records.outline.copy()
    points[1] += 5000
    outline[1] += 5000
    moved = replace(records, points=points, outline=outline)
    moved.save(tmp_path / "faces.npz")
    (tmp_path / "run").mkdir()
    faces, _ = prepare_faces(CONFIG, [str(tmp_path / "faces.npz")], None, tmp_path / "run")
    assert len(faces) == 2
    error = capsys.readouterr().err
    assert "1 of 3 faces are outside their images and are left out" in error and str(records.image[1]) in error
    with pytest.raises(DataError, match="1 of 1 faces are outside"):
        pack_inside(moved.select([1]), 48)


def test_records_that_cannot_be_trained_on_are_refused(tmp_path: Path) -> None:
    records = draw_faces(tmp_path / "faces", 3)
    plain = replace(records, **dict.fromkeys(("Q", "outline", "jawline", "hidden", "residual")))
    few = plain.points.copy()
    few[1, 5:] = np.nan
    cases = {
        "has 1 test faces": replace(records, is_test=np.array([False, True, False])),
        "has 5 points per face": replace(plain, points=plain.points[:, :5], state=plain.state[:, :5], contour=None),
        "1 faces with fewer than 6 points with a position": replace(plain, points=few),
    }
    for message, changed in cases.items():
        changed.save(tmp_path / "records.npz")
        with pytest.raises(DataError, match=message):
            read_faces(CONFIG, [str(tmp_path / "records.npz")], None, tmp_path)
