"""Published results agree with themselves and name their sources."""

import numpy as np
import pytest

from rdrface.evaluation.tables import published


@pytest.mark.parametrize(
    "row", [row for row in published.AFLW2000_68 if row.cells[0] is not None], ids=lambda r: r.name
)
def test_published_means_are_the_means_of_the_published_bins(row):
    assert np.mean(row.cells[:3]) == pytest.approx(row.cells[3], abs=0.0101)


@pytest.mark.parametrize("row", published.W300_INTEROCULAR, ids=lambda r: r.name)
def test_the_full_300w_result_is_the_weighted_mean_of_554_common_and_135_challenging_faces(row):
    common, challenging, full = row.cells
    assert (554 * common + 135 * challenging) / 689 == pytest.approx(full, abs=0.01)


@pytest.mark.parametrize("row", [row for row in published.AFLW_21 if row.cells[0] is not None], ids=lambda r: r.name)
def test_mean_and_std_of_aflw_rows_are_those_of_their_bins(row):
    assert np.mean(row.cells[:3]) == pytest.approx(row.cells[3], abs=0.0101)
    assert np.std(row.cells[:3], ddof=1) == pytest.approx(row.cells[4], abs=0.0101)


def test_every_published_row_names_its_source():
    tables = []
    for name, value in vars(published).items():
        if name[0].isupper() and isinstance(value, tuple | dict):
            tables += list(value.values()) if isinstance(value, dict) else [value]
    rows = [row for table in tables for row in table]
    assert len(rows) > 45 and all(row.quoted for row in rows)
