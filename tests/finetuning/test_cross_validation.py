"""Cross-validation of fine-tuning: separation of the folds, improvement, table."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from custom_faces import SIZE, custom_faces  # noqa: E402
from exported import untrained_network  # noqa: E402
from rdrface.detection.protocol import Detections  # noqa: E402
from rdrface.errors import ConfigError  # noqa: E402
from rdrface.evaluation.metrics.errors import by_yaw  # noqa: E402
from rdrface.finetuning import cross_validation  # noqa: E402
from rdrface.finetuning.cross_validation import check_folds, cross_validate, cross_validation_table  # noqa: E402
from rdrface.finetuning.faces import align_faces  # noqa: E402
from rdrface.finetuning.formats import base_output, read_annotations  # noqa: E402
from rdrface.finetuning.weights import load_network  # noqa: E402
from rdrface.loading import PACKAGED_WEIGHTS  # noqa: E402

OFFSET = np.float32([0.0, 0.08])


def test_each_photo_is_measured_with_a_fit_to_other_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = untrained_network().requires_grad_(False)
    network.iterations = 1
    faces = custom_faces(network, tmp_path / "images", 12)
    # Annotations of the 68 landmarks with a constant offset, and two images of each photo.
    faces = replace(faces, labels=faces.landmarks + OFFSET, photo=np.array([str(i // 2) for i in range(12)]))
    fitted: list[set[str]] = []
    fit_readout, stage_errors = cross_validation.fit_readout, cross_validation.stage_errors

    def recorded_fit(*args: Any) -> Any:
        fitted.append(set(args[2].photo.tolist()))
        return fit_readout(*args)

    def checked_errors(*args: Any) -> Any:
        assert not fitted[-1] & set(args[2].photo.tolist())
        return stage_errors(*args)

    monkeypatch.setattr(cross_validation, "fit_readout", recorded_fit)
    monkeypatch.setattr(cross_validation, "stage_errors", checked_errors)
    errors = cross_validate(network, SIZE, faces, "landmarks", 0.0, 0, 3, tmp_path / "sheet.jpg")
    assert errors.shape == (3, 12, 68) and np.isfinite(errors).all()
    assert [len(photos) for photos in fitted] == [4, 4, 4]
    # An untrained network does not move its landmarks with the face, so the offset cannot be recovered entirely.
    assert errors[-1].mean() < 0.9 * errors[0].mean()
    assert (tmp_path / "sheet.jpg").is_file()


def test_the_table_has_both_groups_of_points_before_and_after() -> None:
    rng = np.random.default_rng(0)
    errors, yaw = rng.random((3, 6, 68)), np.array([0, 20, 40, -50, 70, -80.0])
    table = cross_validation_table(errors, yaw, "landmarks_jawline", 5)
    rows = {row.name: row.cells for row in table.rows}
    assert rows["68 points, as trained (landmarks_jawline)"] == pytest.approx(by_yaw(errors[0].mean(1), yaw).cells)
    assert rows["51 inner points, fine-tuned"] == pytest.approx(by_yaw(errors[-1][:, 17:].mean(1), yaw).cells)
    assert rows["faces"] == (2, 2, 2, None, 6)
    others = cross_validation_table(errors[:, :, :5], yaw, None, 5)
    assert [row.name for row in others.rows] == ["5 points, surface points only", "5 points, fine-tuned", "faces"]


@pytest.mark.parametrize("count", [0, 1, 6])
def test_a_useless_number_of_folds_is_refused(count: int) -> None:
    with pytest.raises(ConfigError, match=f"--folds must be from 2 to 5, half the number of photos; got {count}"):
        check_folds(count, 11)
    with pytest.raises(ConfigError, match="--folds needs at least 4 different photos; there are 3"):
        check_folds(count, 3)


def test_the_aflw2000_setting_improves_held_out_photos(shared_data: Path) -> None:
    class NoDetector:
        def detect(self, image: np.ndarray) -> Detections:
            raise AssertionError("faces with annotated boxes must not be detected")

    records = read_annotations("aflw2000-3d", shared_data / "aflw2000_3d_dev")
    network, size, _ = load_network(PACKAGED_WEIGHTS)
    faces = align_faces(records.select(np.arange(len(records)) % 5 == 0), network, size, NoDetector())
    errors = cross_validate(network, size, faces, base_output(records), 0.0, 0, 2)
    assert errors[-1].mean() < 0.95 * errors[0].mean()
    assert errors[-1][:, 17:].mean() < 0.92 * errors[0][:, 17:].mean()
