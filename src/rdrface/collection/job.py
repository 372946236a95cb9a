"""What a run over a collection does: a later run goes on only with the same job."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rdrface._version import __version__
from rdrface.collection.schema import SCHEMA_VERSION

METADATA_KEY = "rdrface_job"
"""Key of the job in the metadata of the Parquet files."""


@dataclass(frozen=True)
class Job:
    """What determines the rows of a run, as JSON values.

    Attributes:
        inputs: the photos, as on the command line.
        options: options of the detector, of the network and of the sources.
        weights: checksum of the weights file.
        precision: precisions of the network and of the detector.
        chunk: number of photos that are annotated and written together. The faces of a chunk share the runs of the
            network, so another number changes the rows by rounding.
        num_custom: number of custom landmarks of the weights.
        folder: hash of the folder to which the inputs are relative; empty if they are absolute.
        version: version of rdrface.
        schema_version: `rdrface.collection.schema.SCHEMA_VERSION`.
    """

    inputs: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    weights: str = ""
    precision: tuple[str, ...] = ()
    chunk: int = 256
    num_custom: int = 0
    folder: str = ""
    version: str = __version__
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """The job as one line of JSON; equal jobs have equal lines."""
        return json.dumps(asdict(self), sort_keys=True)

    def metadata(self) -> dict[str, str]:
        """The metadata of the Parquet files."""
        return {"rdrface": self.version, "schema_version": str(self.schema_version), METADATA_KEY: self.to_json()}


def difference(earlier: str, job: Job) -> str:
    """How the job of an earlier run, in JSON, differs from another one: the first few values."""
    try:
        old = json.loads(earlier)
    except ValueError:
        return "its description is damaged"
    new = json.loads(job.to_json())
    names = [name for name in new if old.get(name) != new[name]]
    shown = [
        "relative inputs in another current folder"
        if name == "folder"
        else f"{name} {_short(old.get(name))} instead of {_short(new[name])}"
        for name in names
    ]
    return "; ".join(shown) or "nothing"


def read_job(path: Path) -> str | None:
    """The JSON of the job in a Parquet file; None if it has none or cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (pa.ArrowException, OSError):
        return None
    job = metadata.get(METADATA_KEY.encode())
    return None if job is None else job.decode()


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
