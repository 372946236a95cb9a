"""Clients that use the server as it is meant to be used, and what happened to their requests."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

from http_client import Address, Connection, Response, post_image


@dataclass
class Tally:
    """Outcomes of requests.

    Attributes:
        outcomes: number of requests by "faces", "refused", "lost" or "wrong".
        refusals: number of refused requests by the code of the error.
        seconds: time of each answered request.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def num_requests(self) -> int:
        """Number of all requests."""
        return sum(self.outcomes.values())


async def run_honest_client(address: Address, photos: Sequence[bytes], tally: Tally, end: float, first: int) -> None:
    """Send photos one by one until a time.

    Args:
        address: of the server.
        photos: image files.
        tally: is filled.
        end: value of `time.monotonic` at which no further photo is sent.
        first: index of the first photo.
    """
    requests = _requests(photos, first)
    with Connection(address) as connection:
        while time.monotonic() < end:
            start = time.monotonic()
            response = await connection.request(next(requests))
            tally.seconds.append(time.monotonic() - start)
            outcome = outcome_of(response)
            tally.outcomes[outcome] += 1
            if outcome == "refused":
                tally.refusals[response.code] += 1
                await asyncio.sleep(0.5)


def outcome_of(response: Response) -> str:
    """What happened to a request of an honest client.

    Returns:
        "faces": it has a result. "refused": the server did not accept it and said so. "lost": the connection ended, or
        the server failed after it had accepted the request. "wrong": anything else.
    """
    if response.status == 200:
        return "faces" if response.content["images"][0]["error"] is None else "wrong"
    if response.status == 503 and response.code in ("queue_full", "memory_full", "too_many_connections"):
        return "refused"
    return "lost" if response.status == 0 or response.status >= 500 else "wrong"


def _requests(photos: Sequence[bytes], first: int) -> Iterator[bytes]:
    return cycle([post_image(photo) for photo in islice(cycle(photos), first, first + len(photos))])
