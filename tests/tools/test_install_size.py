"""Sizes of installed packages."""

from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def install(site_packages: Path, name: str, files: dict[str, int]) -> None:
    """Write files of a package and the metadata that pip writes."""
    for file, size in files.items():
        (site_packages / file).parent.mkdir(parents=True, exist_ok=True)
        (site_packages / file).write_bytes(bytes(size))
    metadata = site_packages / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "RECORD").write_text("".join(f"{file},,\n" for file in (*files, "../../bin/command", "missing.py")))


def test_each_package_has_the_size_of_its_files(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from install_size import folder_size, package_sizes, size_table

    site_packages = tmp_path / "lib" / "site-packages"
    install(site_packages, "large", {"large/data.bin": 3 * 2**20, "large.libs/lib.so": 2**20})
    install(site_packages, "small", {"small.py": 2**19})
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "command").write_bytes(bytes(2**20))
    sizes = package_sizes(site_packages)
    assert list(sizes)[:2] == ["large 1.0", "small 1.0"]
    assert sizes["large 1.0"] == pytest.approx(4, abs=0.02) and sizes["small 1.0"] == pytest.approx(0.5, abs=0.02)
    assert sizes["folders"] < 0.1
    assert folder_size(site_packages / "large") == pytest.approx(3, abs=0.02)
    assert size_table({"a": 1.25, "bc": 2.0}).splitlines()[-1] == "total     3.2 MB"
