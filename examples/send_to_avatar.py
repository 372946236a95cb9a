"""Move an avatar: send the face of a video or camera to a program that understands VMC, such as VSeeFace or Warudo.

python examples/send_to_avatar.py clip.mp4 127.0.0.1 39540
python examples/send_to_avatar.py 0 127.0.0.1 39540      # the first camera

Needs python-osc, and PyAV or for cameras OpenCV: pip install ".[avatars,video,opencv]".
"""

import sys

import rdrface
from rdrface.recording import FrameRecord, RecordedFace, VMCSender
from rdrface.video import open_camera, open_video

if len(sys.argv) != 4:
    sys.exit(__doc__)
source, host, port = sys.argv[1:]
tracker = rdrface.Tracker(rdrface.load("lite"))
avatar = VMCSender(host, int(port), is_live=source.isdigit())
with open_camera(int(source)) if source.isdigit() else open_video(source) as frames:
    for frame in frames:
        faces = [RecordedFace(person.id, person.face) for person in tracker.update(frame.image, frame.time)]
        avatar.write(FrameRecord(frame.index, frame.time, frames.width, frames.height, faces))
        print(f"{frame.time:.2f} s: {'sent' if faces else 'no face'}")
avatar.close()
