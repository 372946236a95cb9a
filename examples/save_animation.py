"""Save the faces of a video for 3D programs: animated binary glTF, and CSV files of Live Link Face.

python examples/save_animation.py clip.mp4 folder

Needs PyAV: pip install ".[video]".
"""

import sys
from pathlib import Path

import rdrface
from rdrface.recording import ClipRecorder, FrameRecord, LiveLinkWriter, RecordedFace
from rdrface.video import open_video

if len(sys.argv) != 3:
    sys.exit(__doc__)
source, folder = sys.argv[1], Path(sys.argv[2])
folder.mkdir(exist_ok=True)
tracker = rdrface.Tracker(rdrface.load())
animation, live_link = ClipRecorder(folder / "face"), LiveLinkWriter(folder, slate="face")
with open_video(source) as video:
    for frame in video:
        faces = [RecordedFace(person.id, person.face) for person in tracker.update(frame.image, frame.time)]
        record = FrameRecord(frame.index, frame.time, video.width, video.height, faces)
        animation.write(record, frame.image)
        live_link.write(record)
animation.close()
live_link.close()
print("\n".join(str(path) for path in sorted(folder.iterdir())))
