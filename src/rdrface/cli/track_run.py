"""The loop of `rdrface track` over its videos: errors of a video do not end the run, and results are never lost."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from rdrface.aligner import Aligner
from rdrface.cli.interruption import terminated_like_interrupted
from rdrface.cli.streams import STDOUT
from rdrface.cli.video_inputs import VideoInput, VideoInputs
from rdrface.cli.video_output_options import OutputOptions
from rdrface.cli.video_outputs import VideoOutputs
from rdrface.cli.walk import RESULT_EXISTS, Failure
from rdrface.errors import DataError, RdrError
from rdrface.files import is_disk_full, one_line, partial_path, printable
from rdrface.recording.frame_record import RecordedFace
from rdrface.tracking.tracked_face import TrackedFace
from rdrface.tracking.tracker import Tracker
from rdrface.video.camera import Camera, open_camera
from rdrface.video.frame import Frame
from rdrface.video.reader import VideoReader, open_video
from rdrface.video.threads import WriteBehind


@dataclass(frozen=True)
class TrackOptions:
    """Which frames and faces are used.

    Attributes:
        start, end: seconds, or None.
        every: use every n-th frame.
        max_faces: number of faces of a frame that are written, or None.
        is_smoothed: write smoothed faces.
    """

    start: float | None = None
    end: float | None = None
    every: int = 1
    max_faces: int | None = None
    is_smoothed: bool = True


@dataclass
class Person:
    """When a person was seen: first and last time in seconds, and the number of frames."""

    first: float
    last: float
    num_frames: int = 0


@dataclass
class VideoResult:
    """What was found in a video.

    Attributes:
        num_frames: number of frames that were used.
        num_empty: number of those without a face.
        people: number of the person -> when it was seen.
        seconds: time that the tracking took.
    """

    num_frames: int = 0
    num_empty: int = 0
    people: dict[int, Person] = field(default_factory=dict)
    seconds: float = 0.0

    def count(self, frame: Frame, faces: list[RecordedFace]) -> None:
        """Add a frame."""
        self.num_frames += 1
        self.num_empty += not faces
        for one in faces:
            person = self.people.setdefault(one.id, Person(frame.time, frame.time))
            person.last = frame.time
            person.num_frames += 1


class TrackRun:
    """Tracks the faces of videos and writes the results.

    Args:
        inputs: the videos.
        outputs: which files are written.
        options: which frames and faces are used.
        skip_existing: skip videos that an earlier run has completed.
    """

    def __init__(
        self, inputs: VideoInputs, outputs: OutputOptions, options: TrackOptions, skip_existing: bool = False
    ) -> None:
        self._inputs = inputs
        self._outputs = outputs
        self._options = options
        self._skip_existing = skip_existing
        self._counts: Counter[str] = Counter()
        self._seconds = 0.0
        self._written: list[Path] = []

    def check(self) -> None:
        """Check, before anything slow, that no file would be replaced unintentionally.

        Raises:
            ConfigError: a file exists.
        """
        for video in self._inputs.videos:
            if not self._is_skipped(video):
                self._outputs.check(video, self._skip_existing)
        self._outputs.check_names(self._inputs.videos)

    def run(self, aligner: Aligner) -> int:
        """Track all videos and print the summary.

        Returns:
            Exit status: 0, or 1 if some videos failed.

        Raises:
            DataError: the disk is full.
            KeyboardInterrupt: the run was interrupted while it read a file.
        """
        for failure in self._inputs.failures:
            self._fail(failure)
        try:
            with terminated_like_interrupted():
                for video in self._inputs.videos:
                    self._process(aligner, video)
        finally:
            self._print_summary()
        return 1 if self._counts["failed"] else 0

    def _is_skipped(self, video: VideoInput) -> bool:
        return self._skip_existing and self._outputs.is_done(video)

    def _process(self, aligner: Aligner, video: VideoInput) -> None:
        if self._is_skipped(video):
            _note(f"{video.name}: skipped, {RESULT_EXISTS}")
            self._counts["skipped"] += 1
            return
        try:
            self._track(aligner, video)
        except BrokenPipeError:
            raise
        except (RdrError, OSError, MemoryError, RuntimeError) as error:
            if is_disk_full(error):
                raise DataError(f"{error}; {self._partial_files(video)}") from error
            reason = "not enough memory" if isinstance(error, MemoryError) else printable(" ".join(str(error).split()))
            self._fail(Failure(video.name, reason))

    def _track(self, aligner: Aligner, video: VideoInput) -> None:
        result = VideoResult()
        started = time.monotonic()
        is_complete = is_at_end = False
        with ExitStack() as opened:
            frames = self._open(video)
            opened.callback(frames.close)
            outputs = VideoOutputs(self._outputs, video, frames, self._options.start or 0.0)
            writing = WriteBehind(outputs.add)
            try:
                try:
                    with _progress(video, frames, self._options) as bar:
                        for frame, faces in self._tracked(aligner, frames):
                            writing.put((frame, faces))
                            result.count(frame, faces)
                            bar.update()
                    is_complete, is_at_end = True, self._options.end is None
                except KeyboardInterrupt:
                    # A camera has no end of its own.
                    if not video.is_camera:
                        raise
                    is_complete = True
                finally:
                    writing.close()
            except BaseException:
                is_complete = is_at_end = False
                raise
            finally:
                result.seconds = time.monotonic() - started
                try:
                    outputs.close(is_complete, is_at_end)
                finally:
                    self._report(video, frames, outputs, result, is_complete)

    def _open(self, video: VideoInput) -> VideoReader | Camera:
        options = self._options
        if isinstance(video.source, Path):
            return open_video(video.source, start=options.start, end=options.end, every=options.every)
        return open_camera(video.source)

    def _tracked(self, aligner: Aligner, frames: VideoReader | Camera) -> Iterator[tuple[Frame, list[RecordedFace]]]:
        options = self._options
        tracker = Tracker(aligner)
        for frame in frames:
            if isinstance(frames, Camera):
                if options.end is not None and frame.time >= options.end:
                    return
                if frame.time < (options.start or 0) or frame.index % options.every:
                    continue
            faces: list[TrackedFace] = tracker.update(frame.image, frame.time)
            yield (
                frame,
                [
                    RecordedFace(one.id, one.face if options.is_smoothed else one.unsmoothed)
                    for one in sorted(faces, key=lambda one: one.id)[: options.max_faces]
                ],
            )

    def _report(
        self, video: VideoInput, frames: VideoReader | Camera, outputs: VideoOutputs, result: VideoResult, done: bool
    ) -> None:
        for warning in [*(frames.warnings if isinstance(frames, VideoReader) else []), *outputs.warnings]:
            _note(f"{video.name}: {warning}")
        if isinstance(frames, Camera) and frames.num_dropped:
            _note(f"{video.name}: {frames.num_dropped} frames were dropped, because the camera was faster")
        if not done:
            _note(f"{video.name}: ended after {result.num_frames} frames; {self._partial_files(video)}")
        self._counts["videos"] += done
        self._counts["frames"] += result.num_frames
        self._counts["empty"] += result.num_empty
        self._counts["people"] += len(result.people)
        self._seconds += result.seconds
        if self._outputs.folder is None and not self._outputs.json:
            for number, person in sorted(result.people.items()):
                print(
                    f"{one_line(video.name)}: person {number}, {person.first:.2f} to {person.last:.2f} s, "
                    f"{_number(person.num_frames, 'frame')}"
                )

    def _partial_files(self, video: VideoInput) -> str:
        """Description of what an interrupted run has left."""
        found = [str(partial_path(path)) for path in self._outputs.targets(video) if partial_path(path).exists()]
        return f"what was written is in {', '.join(found)}" if found else "nothing was written"

    def _fail(self, failure: Failure) -> None:
        self._counts["failed"] += 1
        name = "" if failure.name in failure.reason else f"{failure.name}: "
        _note(f"{name}{failure.reason}")

    def _print_summary(self) -> None:
        counts = self._counts
        parts = [_number(counts["videos"], "video"), _number(counts["frames"], "frame")]
        parts += [f"{counts['empty']} without a face"] if counts["empty"] else []
        parts += [f"{counts['people']} {'person' if counts['people'] == 1 else 'people'}"]
        parts += [f"{counts[name]} {name}" for name in ("skipped", "failed") if counts[name]]
        parts += [f"{counts['frames'] / self._seconds:.1f} frames/s"] if self._seconds else []
        lines = [", ".join(parts)]
        targets = [self._outputs.folder, self._outputs.json]
        written = [str(one) for one in targets if one and one != STDOUT and Path(one).exists()]
        lines += [f"written: {', '.join(map(one_line, written))}"] if written else []
        stream = sys.stderr if self._outputs.json == STDOUT else sys.stdout
        if stream is not None:
            print("\n".join(lines), file=stream)


@contextmanager
def _progress(video: VideoInput, frames: VideoReader | Camera, options: TrackOptions) -> "Iterator[tqdm[None]]":
    """A progress bar with frames a second and, for files, the time left."""
    total = None
    if isinstance(frames, VideoReader) and frames.duration:
        end = min(frames.duration, options.end or float("inf"))
        total = max(1, round((end - (options.start or 0)) * frames.frame_rate / options.every))
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    with tqdm(total=total, unit="frame", desc=Path(video.name).name, disable=not is_terminal) as bar:
        yield bar


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _note(text: str) -> None:
    # Standard error may be closed; tqdm would then write to standard output.
    if sys.stderr is not None:
        tqdm.write(f"rdrface: {one_line(text)}", file=sys.stderr)
