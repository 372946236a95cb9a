"""Contact sheets of fits."""

import re

import cv2
import numpy as np
import pytest

from mean_faces import write_pts_folder
from rdrface.datasets.readers import read_set
from rdrface.errors import DataError
from rdrface.fitting import contact_sheet as sheets
from rdrface.fitting.contact_sheet import FIT_COLOR, write_contact_sheet
from rdrface.fitting.fit import fit_records
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import POSE, ROTATION


def test_a_sheet_shows_the_fit_on_every_face(tmp_path):
    write_pts_folder(tmp_path)
    records = fit_records(read_set("300w", tmp_path, "train"), FaceModel.load(), progress=False)
    write_contact_sheet(records, np.array([1, 0]), tmp_path / "sheet.png", columns=1, cell=160)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape == (320, 160, 3)
    for cell in (sheet[20:160], sheet[180:]):  # below the titles
        assert (np.abs(cell - np.float64(FIT_COLOR)).max(axis=-1) < 80).sum() > 100
    assert not list(tmp_path.glob("*.partial"))


def test_titles_have_the_angles_of_face_pose(tmp_path, monkeypatch):
    write_pts_folder(tmp_path)
    records = fit_records(read_set("300w", tmp_path, "train"), FaceModel.load(), progress=False).select([0])
    # A level profile: the pitch and the roll of P are rotations about the same axis and cancel.
    records.Q[:, POSE][:, ROTATION] = np.radians([40, 90, 40])
    titles = []
    monkeypatch.setattr(sheets, "contact_sheet", lambda *args, **options: titles.extend(options["titles"]))
    monkeypatch.setattr(sheets, "write_sheet", lambda path, sheet: None)
    write_contact_sheet(records, np.array([0]), tmp_path / "sheet.png")
    assert re.search(r"% y90 p-?0 ", titles[0])


def test_sheets_need_fitted_records_and_the_name_of_an_image_file(tmp_path):
    write_pts_folder(tmp_path)
    records = read_set("300w", tmp_path, "train")
    with pytest.raises(ValueError, match="fitted"):
        write_contact_sheet(records, np.array([0]), tmp_path / "sheet.png")
    fitted = fit_records(records, FaceModel.load(), progress=False)
    with pytest.raises(ValueError, match="empty"):
        write_contact_sheet(fitted, np.array([], int), tmp_path / "sheet.png")
    with pytest.raises(DataError, match="must end in"):
        write_contact_sheet(fitted, np.array([0]), tmp_path / "sheet.txt")
    with pytest.raises(DataError, match="cannot write"):
        write_contact_sheet(fitted, np.array([0]), tmp_path / "missing" / "sheet.png")
