"""Makes the copy of three.js that the page uses: the needed part of the npm package, in one minified file.

python tools/bundle_three.py

Needs npm. Users of rdrface do not run this: the result is in src/rdrface/web/static/vendor.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "src" / "rdrface" / "web" / "static" / "vendor"
THREE = "three@0.187.0"
ESBUILD = "esbuild@0.28.2"


def main() -> None:
    """Install both packages into a temporary folder and write the bundle and its license."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", THREE, ESBUILD], cwd=folder, check=True)
        shutil.copy(Path(__file__).parent / "three_entry.js", Path(folder) / "entry.js")
        command = [Path(folder) / "node_modules" / ".bin" / "esbuild", "entry.js", "--bundle", "--minify"]
        banner = f"--banner:js=/* {THREE} from npm, bundled by {ESBUILD}; MIT license, see three.LICENSE */"
        options = ["--format=esm", "--target=es2022", "--legal-comments=none", banner]
        subprocess.run([*command, *options, f"--outfile={VENDOR / 'three.min.js'}"], cwd=folder, check=True)
        shutil.copy(Path(folder) / "node_modules" / "three" / "LICENSE", VENDOR / "three.LICENSE")


if __name__ == "__main__":
    main()
