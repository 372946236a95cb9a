"""Record the faces of a video as JSON Lines, read them back, and print when the mouth is open the widest.

python examples/record_video.py clip.mp4 faces.jsonl

Needs PyAV: pip install ".[video]".
"""

import sys
from pathlib import Path

import rdrface
from rdrface.recording import FrameRecord, JSONLinesWriter, RecordedFace, read_recording
from rdrface.video import open_video

if len(sys.argv) != 3:
    sys.exit(__doc__)
source, target = sys.argv[1], Path(sys.argv[2])
tracker = rdrface.Tracker(rdrface.load())
recording = JSONLinesWriter(target)
with open_video(source) as video:
    for frame in video:
        faces = [RecordedFace(person.id, person.face) for person in tracker.update(frame.image, frame.time)]
        recording.write(FrameRecord(frame.index, frame.time, video.width, video.height, faces))
recording.close()
opening = [(one.face.blendshapes["jawOpen"], frame.time) for frame in read_recording(target) for one in frame.faces]
print(f"{target}: {len(opening)} faces; jawOpen is at most %.2f, at %.2f s" % max(opening, default=(0, 0)))
