"""The command `rdrface fit`."""

import argparse

import cv2
import numpy as np
import pytest

from mean_faces import write_pts_folder
from rdrface.cli import fit as command
from rdrface.cli.main import main
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def test_the_command_writes_records_a_report_and_a_contact_sheet(tmp_path, capsys):
    points = write_pts_folder(tmp_path)
    out, sheet = tmp_path / "fit.npz", tmp_path / "worst.png"
    assert command.run(parse("300w", str(tmp_path), "-o", str(out), "--worst", str(sheet))) == 0
    records = FaceRecords.load(out)
    assert np.linalg.norm(records.outline - points, axis=-1).mean() < 1
    printed = capsys.readouterr().out
    assert "median" in printed
    assert str(records.image[np.argmax(records.residual)]) in printed
    assert cv2.imread(str(sheet)).shape == (240, 2 * 240, 3)


@pytest.mark.parametrize("existing", ["fit.npz", "worst.png"])
def test_existing_files_are_replaced_only_with_overwrite(tmp_path, capsys, existing):
    write_pts_folder(tmp_path)
    (tmp_path / existing).write_bytes(b"earlier")
    fit = ["fit", "300w", str(tmp_path), "-o", str(tmp_path / "fit.npz"), "--worst", str(tmp_path / "worst.png")]
    assert main(fit) == 2
    assert f"{existing} exists; name another file or pass --overwrite" in capsys.readouterr().err
    assert (tmp_path / existing).read_bytes() == b"earlier"
    assert main([*fit, "--overwrite"]) == 0
    assert (tmp_path / existing).read_bytes() != b"earlier"


def test_a_missing_output_folder_is_reported_before_the_fit(tmp_path):
    write_pts_folder(tmp_path)
    with pytest.raises(ConfigError, match="folder does not exist"):
        command.run(parse("300w", str(tmp_path), "-o", str(tmp_path / "nowhere" / "fit.npz")))


def test_the_annotation_offset_is_removed(tmp_path):
    points = write_pts_folder(tmp_path)
    out = tmp_path / "fit.npz"
    part = f"300w/{tmp_path.name}"
    assert command.run(parse("300w", str(tmp_path), "-o", str(out), "--offset", f"{part}=1.5,-2")) == 0
    side = np.sqrt(np.ptp(points, axis=1).prod(axis=1))
    move = np.array([0.015, -0.02]) * side[:, None, None]
    np.testing.assert_allclose(FaceRecords.load(out).points, points - move, atol=2e-3)
    with pytest.raises(ConfigError, match=f"--offset has an entry 'afw'.*{part}"):
        command.run(parse("300w", str(tmp_path), "-o", str(out), "--overwrite", "--offset", "afw=1,1"))


def test_limit_reduces_the_number_of_faces(tmp_path):
    write_pts_folder(tmp_path)
    out = tmp_path / "fit.npz"
    assert command.run(parse("300w", str(tmp_path), "-o", str(out), "--limit", "1")) == 0
    assert len(FaceRecords.load(out)) == 1


def test_impossible_outputs_and_limits_are_rejected_before_the_fit(tmp_path, capsys):
    (tmp_path / "folder.npz").mkdir()
    assert main(["fit", "300w", str(tmp_path), "-o", str(tmp_path / "folder.npz")]) == 2
    assert "it is a folder" in capsys.readouterr().err
    assert main(["fit", "300w", str(tmp_path), "-o", str(tmp_path / "a.npz"), "--limit", "0"]) == 2
    assert "--limit" in capsys.readouterr().err
