"""Check that the API page of the built site describes every public member.

python tools/check_site.py SITE
"""

import argparse
import dataclasses
import inspect
import sys
from pathlib import Path

import rdrface
from rdrface.cli.script import reports_errors


@reports_errors
def main() -> int:
    """Print the members that are missing; the exit status is 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path, metavar="SITE", help="folder of the built site")
    file = parser.parse_args().site / "api" / "index.html"
    if not file.is_file():
        parser.error(f"no file {file}; build the site first: make docs")
    page = file.read_text(encoding="utf-8")
    missing = [name for name in public_members() if not any(f'{at}="rdrface.{name}"' in page for at in ("id", "title"))]
    for name in missing:
        print(f"the API page does not describe rdrface.{name}: give it a docstring", file=sys.stderr)
    return 1 if missing else 0


def public_members() -> list[str]:
    """Names of the public functions, classes, methods, properties, fields and errors, relative to the package."""
    names: list[str] = []
    for name in rdrface.__all__:
        value = getattr(rdrface, name)
        if inspect.ismodule(value):
            names += [f"{name}.{error}" for error in vars(value) if not error.startswith("_")]
        elif name != "__version__":
            names.append(name)
        if inspect.isclass(value):
            names += [f"{name}.{member}" for member in vars(value) if not member.startswith("_")]
            if dataclasses.is_dataclass(value):
                names += [f"{name}.{field.name}" for field in dataclasses.fields(value)]
    return names


if __name__ == "__main__":
    sys.exit(main())
