"""Measures `rdrface serve` under load.

python benchmarks/serving/measure.py throughput FOLDER [--clients 8] [--seconds 60] [OPTIONS OF rdrface serve]
python benchmarks/serving/measure.py hostile FOLDER [--clients 200] [--seconds 60] [OPTIONS OF rdrface serve]

FOLDER contains photos. See README.md.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from clients import Tally, outcome_of, run_honest_client
from hostile_clients import HOSTILE
from http_client import Address, Connection, get, post_image
from server_under_test import ServerUnderTest, running

import rdrface
from rdrface.cli.script import reports_errors
from rdrface.errors import DataError
from rdrface.evaluation.tables.tables import Row, Table

NUM_PHOTOS = 50
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
HONEST_SHARE = 0.2
"""Fraction of the clients of `hostile` that are honest."""

WARM_UP = 10.0
"""Seconds before the measurement. OpenVINO prepares its detector for each new size of an image."""

DEFAULT_CLIENTS = {"throughput": 8, "hostile": 200}


@reports_errors
def main() -> int:
    """Command line; returns the exit status: 1 if a request was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=tuple(DEFAULT_CLIENTS), help="what to measure")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help=f"the first {NUM_PHOTOS} photos in it are sent")
    parser.add_argument("--clients", type=int, metavar="N", help="number of clients (default: 8 and 200)")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="duration (default: 60)")
    args, options = parser.parse_known_args()
    clients = args.clients or DEFAULT_CLIENTS[args.what]
    photos = read_photos(args.folder)
    measure = measure_throughput if args.what == "throughput" else measure_hostile
    table, is_good = measure(photos, clients, args.seconds, options)
    print(table.to_text())
    return 0 if is_good else 1


def read_photos(folder: Path) -> list[bytes]:
    """The first photos of a folder and its subfolders, by name."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)[:NUM_PHOTOS]
    if not paths:
        raise DataError(f"{folder} contains no photos ({' '.join(SUFFIXES)})")
    return [path.read_bytes() for path in paths]


def measure_throughput(
    photos: Sequence[bytes], num_clients: int, seconds: float, options: Sequence[str]
) -> tuple[Table, bool]:
    """Photos per second of clients that send one photo after the other, and of `detect_batch` without a server."""
    tally = Tally()
    with running(options) as server:
        asyncio.run(_warm_up(server.address, photos, num_clients))
        before = server.memory("VmRSS")
        start = time.monotonic()
        asyncio.run(_honest(server.address, photos, tally, num_clients, start + seconds))
        duration = time.monotonic() - start
        memory = (before, server.memory("VmRSS"), server.memory("VmHWM"))
        status = server.stop()
    rate, batch_rate = tally.outcomes["faces"] / duration, _rate_of_detect_batch(photos, seconds / 2)
    errors = tally.num_requests - tally.outcomes["faces"]
    rows = (
        Row("server, photos/s", (rate,)),
        Row("detect_batch, photos/s", (batch_rate,)),
        Row("server / detect_batch", (rate / batch_rate,)),
        Row("photos", (tally.num_requests,)),
        Row("errors", (errors,)),
        Row("median time, ms", (1000 * float(np.median(tally.seconds)),)),
        Row("95th percentile, ms", (1000 * float(np.percentile(tally.seconds, 95)),)),
        *_memory_rows(memory),
        Row("exit status", (status,)),
    )
    title = f"{num_clients} clients, {seconds:g} seconds; rdrface {rdrface.__version__}"
    return Table(title, ("",), rows), errors == 0 and status == 0


def measure_hostile(
    photos: Sequence[bytes], num_clients: int, seconds: float, options: Sequence[str]
) -> tuple[Table, bool]:
    """Requests of honest clients while others misuse the server."""
    tally, misuses = Tally(), {name: Counter[str]() for name in HOSTILE}
    num_honest = max(1, round(HONEST_SHARE * num_clients))
    with running(options) as server:
        asyncio.run(_warm_up(server.address, photos, 1))
        before = server.memory("VmRSS")
        end = time.monotonic() + seconds
        asyncio.run(_all(server.address, photos, tally, misuses, num_honest, num_clients - num_honest, end))
        memory = (before, server.memory("VmRSS"), server.memory("VmHWM"))
        is_alive = asyncio.run(_is_alive(server, photos))
        status = server.stop()
    rows = [_honest_row(num_honest, tally)]
    names = list(islice(cycle(HOSTILE), num_clients - num_honest))
    for name, outcomes in misuses.items():
        text = ", ".join(f"{outcome}: {count}" for outcome, count in outcomes.most_common(3))
        rows.append(Row(name, (names.count(name), sum(outcomes.values()), text)))
    notes = [f"{row.name}: {row.cells[0]:.0f}" for row in _memory_rows(memory)]
    notes += [f"refused, {code}: {count}" for code, count in tally.refusals.most_common()]
    notes += [f"alive afterwards: {'yes' if is_alive else 'no'}; exit status {status}"]
    title = f"{num_clients} clients, {seconds:g} seconds; rdrface {rdrface.__version__}"
    is_good = is_alive and status == 0 and not (tally.outcomes["lost"] or tally.outcomes["wrong"])
    return Table(title, ("clients", "requests", "outcomes"), tuple(rows), tuple(notes)), is_good


def _honest_row(num_clients: int, tally: Tally) -> Row:
    text = ", ".join(f"{name}: {tally.outcomes[name]}" for name in ("faces", "refused", "lost", "wrong"))
    return Row("honest", (num_clients, tally.num_requests, text))


def _memory_rows(memory: tuple[float, float, float]) -> list[Row]:
    return [
        Row(f"memory {when}, MB", (value,)) for when, value in zip(("before", "after", "maximum"), memory, strict=True)
    ]


async def _warm_up(address: Address, photos: Sequence[bytes], num_clients: int) -> None:
    """Let the backend prepare for all sizes of the photos, and allocate its memory."""
    await _honest(address, photos, Tally(), num_clients, time.monotonic() + WARM_UP)


async def _honest(address: Address, photos: Sequence[bytes], tally: Tally, count: int, end: float) -> None:
    async with asyncio.TaskGroup() as group:
        for i in range(count):
            group.create_task(run_honest_client(address, photos, tally, end, 7 * i))


async def _all(
    address: Address,
    photos: Sequence[bytes],
    tally: Tally,
    misuses: dict[str, Counter[str]],
    num_honest: int,
    num_hostile: int,
    end: float,
) -> None:
    async def misuse(name: str) -> None:
        while time.monotonic() < end:
            try:
                response = await HOSTILE[name](address)
            except OSError:
                misuses[name]["no connection"] += 1
            except asyncio.CancelledError:
                misuses[name]["not finished"] += 1
                raise
            else:
                misuses[name][response.code or (str(response.status) if response.status else "no answer")] += 1
            await asyncio.sleep(0.05)

    hostile = [asyncio.ensure_future(misuse(name)) for name in islice(cycle(HOSTILE), num_hostile)]
    await _honest(address, photos, tally, num_honest, end)
    for task in hostile:
        task.cancel()
    await asyncio.gather(*hostile, return_exceptions=True)


async def _is_alive(server: ServerUnderTest, photos: Sequence[bytes]) -> bool:
    with Connection(server.address) as connection:
        ready = await connection.request(get("/readyz"))
        answer = await connection.request(post_image(photos[0]))
    return ready.status == 200 and outcome_of(answer) == "faces"


def _rate_of_detect_batch(photos: Sequence[bytes], seconds: float) -> float:
    aligner = rdrface.load()
    warm = time.monotonic() + WARM_UP
    while time.monotonic() < warm:
        aligner.detect_batch(photos)
    start, count = time.monotonic(), 0
    while time.monotonic() < start + seconds or count == 0:
        aligner.detect_batch(photos)
        count += len(photos)
    return count / (time.monotonic() - start)


if __name__ == "__main__":
    sys.exit(main())
