"""The loop of `rdrface detect` over its images: errors of an image do not end the run, and results are never lost."""

import re
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path

from tqdm import tqdm

from rdrface.aligner import MAX_WAITING_BYTES, Aligner
from rdrface.cli.inputs import STDIN, Input, Inputs
from rdrface.cli.interruption import terminated_like_interrupted
from rdrface.cli.outcome import Outcome
from rdrface.cli.output_folder import OutputFolder
from rdrface.cli.outputs import Result
from rdrface.cli.streams import STDOUT, OutputStream
from rdrface.cli.walk import RESULT_EXISTS, Failure, Skipped
from rdrface.detection.box_file import BoxFile
from rdrface.detection.retinaface import input_scale
from rdrface.errors import DataError, ImageError, RdrError
from rdrface.files import is_disk_full, one_line, printable
from rdrface.image import FirstFrame, read_first_frame
from rdrface.image_batch import can_decode_ahead
from rdrface.prefetch import prefetch


class Batch:
    """Aligns the faces of images and writes the results.

    Args:
        aligner: finds and aligns the faces.
        boxes: known boxes of the faces; None detects them.
        streams: outputs for all images.
        folder: outputs for each image, or None.
        skip_existing: skip images that have a result in `folder`; the streams contain these results.
        max_side: longest side of the image for detection, pixels; None if the boxes are known.
    """

    def __init__(
        self,
        aligner: Aligner,
        boxes: BoxFile | None,
        streams: Sequence[OutputStream],
        folder: OutputFolder | None,
        skip_existing: bool = False,
        max_side: int | None = None,
    ) -> None:
        self._aligner = aligner
        self._boxes = boxes
        self._streams = streams
        self._folder = folder
        self._skip_existing = skip_existing
        self._max_side = max_side
        self._outcome = Outcome()

    def run(self, inputs: Inputs, unused_boxes: Sequence[str] = ()) -> int:
        """Process all images and print the summary.

        Args:
            inputs: the images.
            unused_boxes: entries of the box file without an image.

        Returns:
            Exit status: 0, or 1 if some inputs failed.

        Raises:
            DataError: the disk is full.
        """
        outcome = self._outcome
        outcome.skipped += inputs.skipped
        outcome.not_processed = [image.name for image in inputs.images]
        try:
            # Whatever ends the run, the files of the streams are completed with the results so far.
            with ExitStack() as closing, terminated_like_interrupted():
                if self._folder:
                    closing.callback(self._folder.close)
                for stream in self._streams:
                    closing.callback(stream.close, outcome)
                for failure in inputs.failures:
                    self._fail(failure)
                if unused_boxes:
                    count = f"{len(unused_boxes)} {'entry' if len(unused_boxes) == 1 else 'entries'}"
                    _note(f"no image for {count} of the box file, such as {unused_boxes[0]}")
                reading = prefetch(self._read, inputs.images, _can_read_ahead, _num_bytes, MAX_WAITING_BYTES // 2)
                closing.callback(reading.close)
                is_hidden = not _is_terminal() or len(inputs.images) < 2
                bar = tqdm(reading, total=len(inputs.images), unit="image", disable=is_hidden)
                for image, read in bar:
                    self._process(image, read)
                    del outcome.not_processed[0], read
        except (DataError, KeyboardInterrupt):
            self._print_summary(inputs)
            raise
        self._print_summary(inputs)
        return 1 if outcome.failures else 0

    def _read(self, image: Input) -> FirstFrame | Result:
        """The pixels of an image; its saved result if it is to be skipped. Other threads call this method."""
        saved = self._folder.saved_result(image) if self._skip_existing and self._folder else None
        return read_first_frame(_stdin() if image.path is None else image.path) if saved is None else saved

    def _process(self, image: Input, read: Future[FirstFrame | Result]) -> None:
        try:
            frame = read.result()
            result = frame if isinstance(frame, Result) else self._align(image, frame)
            if self._folder and isinstance(frame, FirstFrame):
                self._folder.add(result, frame.pixels)
        except (RdrError, OSError, MemoryError, RuntimeError) as error:
            if is_disk_full(error):
                raise DataError(f"{error}; run it again with --skip-existing when there is space") from error
            self._fail(Failure(image.name, _reason(error)))
            return
        for stream in self._streams:
            stream.add(result)
        if isinstance(frame, Result):
            self._outcome.skipped.append(Skipped(image.name, RESULT_EXISTS))
            return
        self._outcome.count(result)
        if result.num_frames > 1:
            _note(f"{image.name}: frame 1 of {result.num_frames}; the others are not read")
        if not self._streams and not self._folder:
            tqdm.write(result.to_text(), file=sys.stdout)

    def _align(self, image: Input, frame: FirstFrame) -> Result:
        pixels = frame.pixels
        if self._boxes is None:
            faces, dropped = self._aligner.detect_with_dropped(pixels)
        else:
            face_boxes = self._boxes.of(image.name)
            if face_boxes is None:
                raise ImageError(f"the box file has no entry for {image.name}")
            faces, dropped = self._aligner.align(pixels, face_boxes), []
        height, width = pixels.shape[:2]
        scale = 1.0 if self._max_side is None else min(1.0, input_scale(height, width, self._max_side))
        searched = round(scale * max(height, width))
        return Result(image, width, height, frame.num_frames, faces, len(dropped), searched)

    def _fail(self, failure: Failure) -> None:
        self._outcome.failures.append(failure)
        # Most messages already contain the path. That of a folder contains the paths of its files, which do not count.
        named = re.search(rf"(?<![\w./\\-]){re.escape(failure.name)}(?![\w/\\-]|\.\w)", failure.reason)
        name = "" if failure.name != STDIN and named else f"{failure.name}: "
        _note(f"{name}{failure.reason}")
        for stream in self._streams:
            stream.fail(failure)

    def _print_summary(self, inputs: Inputs) -> None:
        written = [str(self._folder.folder)] if self._folder and self._folder.num_images else []
        targets = [stream.target for stream in self._streams if stream.target != STDOUT]
        written += [target for target in targets if Path(target).exists()]
        if inputs.is_single_file and not written and not self._outcome.skipped:
            return
        is_data_on_stdout = any(stream.target == STDOUT for stream in self._streams)
        stream = sys.stderr if is_data_on_stdout else sys.stdout
        # With None, print would write to standard output.
        if stream is not None:
            print(self._outcome.summary([printable(name) for name in written]), file=stream)


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, RuntimeError):  # of the inference backend; its messages have several lines
        return f"cannot be processed: {printable(' '.join(str(error).split()))}"
    return printable(str(error))


def _can_read_ahead(image: Input) -> bool:
    return image.path is not None and can_decode_ahead(image.path)


def _num_bytes(read: FirstFrame | Result) -> int:
    return read.pixels.nbytes if isinstance(read, FirstFrame) else 0


def _stdin() -> bytes:
    content = b"" if sys.stdin is None else sys.stdin.buffer.read()
    if not content:
        raise ImageError("standard input is empty (0 bytes)")
    return content


def _note(text: str) -> None:
    # Standard error may be closed; tqdm would then write to standard output.
    if sys.stderr is not None:
        tqdm.write(f"rdrface: {one_line(text)}", file=sys.stderr)


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
