"""Commands estimate the boxes of datasets without boxes."""

import numpy as np

from annotated import fgnet_folder
from rdrface.cli.evaluate_expression import read_records
from rdrface.cli.main import main
from rdrface.datasets.records import FaceRecords


def test_fgnet_is_evaluated_with_estimated_boxes(tmp_path):
    fgnet_folder(tmp_path, ["005a11"])
    assert np.isfinite(read_records(tmp_path, split="test").box).all()


def test_an_annotation_offset_of_fgnet_is_removed_in_units_of_the_estimated_box(tmp_path):
    fgnet_folder(tmp_path / "set", ["001a02"])
    out = tmp_path / "fitted.npz"
    assert main(["fit", "fgnet", str(tmp_path / "set"), "-o", str(out), "--offset", "fgnet=10,0"]) == 0
    moved = FaceRecords.load(out)
    assert main(["fit", "fgnet", str(tmp_path / "set"), "-o", str(out), "--overwrite"]) == 0
    shift = np.nanmean(FaceRecords.load(out).points - moved.points, axis=(0, 1))
    assert 4 < shift[0] < 9 and abs(shift[1]) < 1e-3
