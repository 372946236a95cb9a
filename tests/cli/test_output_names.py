"""Names of the output files of `rdrface detect`."""

from pathlib import Path

import pytest

from rdrface.cli.output_names import OVERLAY_SUFFIX, is_output, mesh_suffix, overlays_and_meshes
from rdrface.mesh_io import FORMATS


def test_overlays_and_meshes_are_recognized():
    suffixes = [OVERLAY_SUFFIX, *(mesh_suffix(face, kind) for face in (0, 12) for kind in FORMATS)]
    assert all(is_output(Path("p") / f"a{suffix}") for suffix in suffixes)
    paths = {Path("p") / f"a{suffix}" for suffix in suffixes}
    others = {Path("p") / name for name in ("a.json", "a.jpg.overlay.jpg", "a.face0.obj.bak", "ab.overlay.jpg", "a")}
    assert overlays_and_meshes(Path("p/a"), paths | others) == paths


@pytest.mark.parametrize("name", ["a.jpg", "a.json", "overlay.jpg", ".overlay.jpg", "a.facet.obj", "a.face0.stl"])
def test_other_files_are_not_outputs(name):
    assert not is_output(Path(name))
