"""Print what a collection of photos costs: core hours, time, money and storage, from a measured run.

python tools/collection_cost.py FACES.parquet --rate R [--photos N] [--core-hour PRICE] [--photo-bytes B] [--cores N]

FACES.parquet was written by `rdrface annotate`; the bytes and the faces of a photo are those of this file. R is the
rate that the same run printed, photos per second, divided by its number of workers. The photos of the collection are
assumed to be like those of the run: R depends on their size and on their faces.

core hours = photos / R / 3600; hours = core hours / cores; cost = core hours x PRICE;
storage = photos x bytes per photo
"""

import argparse
import math
import sys
from pathlib import Path

import pyarrow.parquet as pq

from rdrface.cli.script import reports_errors
from rdrface.collection.rows import read_counts
from rdrface.errors import DataError

PRICE = 0.04
"""US dollars per hour of a core: an assumption, of the order of what clouds charge for cores on demand."""


@reports_errors
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, metavar="FACES.parquet", help="output of rdrface annotate")
    parser.add_argument("--rate", type=_positive, required=True, metavar="R", help="photos per second and core")
    parser.add_argument(
        "--photos", type=_positive, default=100e6, metavar="N", help="size of the collection (default: 1e8)"
    )
    parser.add_argument(
        "--core-hour", type=_positive, default=PRICE, metavar="PRICE", help=f"dollars, an assumption (default: {PRICE})"
    )
    parser.add_argument("--photo-bytes", type=_positive, metavar="B", help="mean size of a photo's file")
    parser.add_argument("--cores", type=_count, nargs="+", default=[16, 128, 1024], metavar="N")
    args = parser.parse_args()
    if not args.faces.is_file():
        parser.error(f"no file at {args.faces}: name one written by `rdrface annotate IN... NAME.parquet`")
    try:
        print("\n".join(lines(args)))
    except DataError as error:
        parser.error(str(error))


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0; got {text}")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1; got {text}")
    return int(text)


def lines(args: argparse.Namespace) -> list[str]:
    """The lines of the table."""
    counts = read_counts(args.faces)
    core_hours = args.photos / args.rate / 3600
    per_photo = args.faces.stat().st_size / counts.photos
    found = [
        f"measured on {counts.photos:,} photos: {counts.faces / counts.photos:.2f} faces and {per_photo:,.0f} bytes "
        "per photo in Parquet",
        f"collection: {args.photos:,.0f} photos, {args.rate:g} photos/s on one core",
        f"core hours: {core_hours:,.0f}",
        *(f"hours on {cores:,} cores: {core_hours / cores:,.1f}" for cores in args.cores),
        f"cost at {args.core_hour:g} dollars per core hour: {core_hours * args.core_hour:,.0f} dollars, "
        f"{core_hours * args.core_hour / args.photos * 1e6:,.2f} dollars per million photos",
        f"storage of the faces: {args.photos * per_photo / 1e9:,.0f} GB",
    ]
    if args.photo_bytes:
        most = max(args.cores)
        found += [
            f"storage of the photos: {args.photos * args.photo_bytes / 1e12:,.1f} TB",
            f"reading on {most:,} cores: {most * args.rate * args.photo_bytes / 1e6:,.0f} MB/s",
        ]
    return [*found, *column_lines(args.faces)]


def column_lines(path: Path) -> list[str]:
    """The share of the largest columns in the size of a file."""
    metadata = pq.read_metadata(path)
    sizes: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        for i in range(metadata.num_columns):
            column = metadata.row_group(group).column(i)
            name = column.path_in_schema.partition(".")[0]
            sizes[name] = sizes.get(name, 0) + column.total_compressed_size
    total = sum(sizes.values())
    largest = sorted(sizes, key=lambda name: -sizes[name])[:8]
    return ["share of the columns: " + ", ".join(f"{name} {sizes[name] / total:.0%}" for name in largest)]


if __name__ == "__main__":
    sys.exit(main())
