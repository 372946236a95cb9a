"""The outcome of a run of `rdrface detect`: counts, failures, skipped files, and the summary at the end."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from rdrface.cli.outputs import Result
from rdrface.cli.walk import Failure, Skipped
from rdrface.files import one_line

_EXAMPLES = 3
"""Names that the summary shows for each reason; the JSON file lists all."""


@dataclass
class Outcome:
    """What happened to the images of a run.

    Attributes:
        skipped: files that were skipped, with the reason.
        failures: inputs that could not be processed, with the reason.
        not_processed: names of the images that an interrupted run has not processed.
        images: number of images whose faces were searched.
        without_faces: number of those in which no face was found.
        faces: number of faces.
        dropped: number of detections that were dropped because of their expected error.
        reduced_without_faces: names of the images without a face that were reduced for the detector.
    """

    skipped: list[Skipped] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    not_processed: Sequence[str] = ()
    images: int = 0
    without_faces: int = 0
    faces: int = 0
    dropped: int = 0
    reduced_without_faces: list[str] = field(default_factory=list)

    def count(self, result: Result) -> None:
        """Add an image."""
        self.images += 1
        self.without_faces += not result.faces
        self.faces += len(result.faces)
        self.dropped += result.dropped
        if result.may_have_small_faces:
            self.reduced_without_faces.append(result.image.name)

    def summary(self, written: Sequence[str]) -> str:
        """The summary at the end of a run.

        Args:
            written: names of the files and folders that were written.
        """
        first = [_number(self.images, "photo"), _number(self.faces, "face")]
        first += [f"{self.without_faces} without a face"] if self.without_faces else []
        first += [f"{len(self.skipped)} skipped", f"{len(self.failures)} failed", f"{self.dropped} dropped"]
        first += [f"{len(self.not_processed)} not processed"] if self.not_processed else []
        lines = [", ".join(first)]
        if self.dropped:
            lines.append("dropped: detections with an expected error above the limit of --max-uncertainty")
        if self.reduced_without_faces:
            lines.append(
                f"without a face, searched at a reduced size: {len(self.reduced_without_faces)} "
                f"({_examples(self.reduced_without_faces)}); a larger --max-side finds smaller faces"
            )
        names = defaultdict(list)
        for one in self.skipped:
            names[one.reason].append(one.name)
        lines += [f"skipped, {reason}: {len(group)} ({_examples(group)})" for reason, group in sorted(names.items())]
        if written:
            lines.append(f"written: {', '.join(map(one_line, written))}")
        return "\n".join(lines)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _examples(names: Sequence[str]) -> str:
    return ", ".join([*map(one_line, names[:_EXAMPLES]), *(["..."] if len(names) > _EXAMPLES else [])])
