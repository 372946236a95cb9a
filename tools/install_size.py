"""Install the package as users do, into a new environment, and print the disk space of each of its dependencies.

python tools/install_size.py FOLDER [--extra NAME] [--maximum MB]

FOLDER must not exist. It gets the environment FOLDER/venv, where the commands can be tried. The versions are those of
constraints.txt. 1 MB is 2**20 bytes; the sizes are those that `du` prints.
"""

import argparse
import subprocess
import sys
import venv
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Print the table; the exit status is 1 if the total is above --maximum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder to create")
    parser.add_argument("--extra", action="append", default=[], metavar="NAME", help="also install rdrface[NAME]")
    parser.add_argument("--maximum", type=float, metavar="MB", help="exit with status 1 if the total is larger")
    args = parser.parse_args()
    if args.folder.exists():
        parser.error(f"{args.folder} exists; name a folder that does not")
    site_packages = install(args.folder, args.extra)
    sizes = package_sizes(site_packages)
    total = sum(sizes.values())
    print(size_table(sizes))
    parts = ", ".join(f"{name} {folder_size(site_packages / 'rdrface' / name):.1f} MB" for name in ("weights", "web"))
    print(f"of rdrface: {parts}")
    if args.maximum is not None and total > args.maximum:
        print(f"the total is above {args.maximum:g} MB", file=sys.stderr)
        return 1
    return 0


def install(folder: Path, extras: Iterable[str] = ()) -> Path:
    """Build the wheel, create ``folder/venv`` and install the wheel there.

    Returns:
        The environment's site-packages.
    """
    environment = folder / "venv"
    # The environment gets no pip of its own, which would count.
    venv.create(environment)
    (python,) = (path for name in ("bin/python", "Scripts/python.exe") if (path := environment / name).exists())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("rdrface-*.whl")
    wanted = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
    constraints = str(ROOT / "constraints.txt")
    subprocess.run([*pip, "--python", str(python), "install", "--constraint", constraints, wanted], check=True)
    code = "import sysconfig; print(sysconfig.get_path('platlib'))"
    return Path(subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip())


def package_sizes(site_packages: Path) -> dict[str, float]:
    """Disk space of each package, MB, the largest first. "folders" is the space of the folders themselves."""
    sizes = {}
    for package in distributions(path=[str(site_packages)]):
        # Commands in the environment's bin are not counted.
        files = {Path(str(package.locate_file(file))).resolve() for file in package.files or ()}
        inside = [file for file in files if site_packages.resolve() in file.parents and file.exists()]
        sizes[f"{package.metadata['Name']} {package.version}"] = sum(_megabytes(file) for file in inside)
    sizes["folders"] = sum(_megabytes(path) for path in site_packages.rglob("*") if path.is_dir())
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def folder_size(folder: Path) -> float:
    """Disk space of the files in a folder, MB."""
    return sum(_megabytes(path) for path in folder.rglob("*") if path.is_file())


def size_table(sizes: dict[str, float]) -> str:
    """The sizes as text, one package per line, with their total."""
    rows = [*sizes.items(), ("total", sum(sizes.values()))]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}{size:>8.1f} MB" for name, size in rows)


def _megabytes(path: Path) -> float:
    status = path.stat()
    # Windows does not have the number of blocks.
    return getattr(status, "st_blocks", -(-status.st_size // 512)) * 512 / 2**20


if __name__ == "__main__":
    sys.exit(main())
