"""Follow the faces of a video, and write the video with the faces drawn into it.

python examples/track_video.py clip.mp4 tracked.mp4

Needs PyAV: pip install ".[video]". Sound is not copied; `rdrface track clip.mp4 -o out --draw` does that too.
"""

import sys

import rdrface
from rdrface.video import VideoWriter, open_video

if len(sys.argv) != 3:
    sys.exit(__doc__)
source, target = sys.argv[1:]
tracker = rdrface.Tracker(rdrface.load())
with (
    open_video(source) as video,
    VideoWriter(target, video.width, video.height, frame_rate=video.frame_rate) as drawn,
):
    for frame in video:
        people = tracker.update(frame.image, frame.time)
        drawn.write(rdrface.draw(frame.image, [person.face for person in people], axes=True), frame.time)
        for person in people:
            print(f"{frame.time:.2f} s: person {person.id}, yaw {person.face.pose.yaw:.0f} degrees")
