"""Send photos to a running server and read the faces back.

rdrface serve                                                        # in another terminal
python examples/server_client.py http://127.0.0.1:8000 photo.jpg
"""

import json
import sys
import urllib.request
from base64 import b64encode
from pathlib import Path

import rdrface

if len(sys.argv) < 3:
    sys.exit(__doc__)
url, *paths = sys.argv[1:]
images = [b64encode(Path(path).read_bytes()).decode() for path in paths]
body = json.dumps({"images": images}).encode()
request = urllib.request.Request(f"{url}/v1/faces", body, {"Content-Type": "application/json"})
try:
    answer = json.load(urllib.request.urlopen(request))
except OSError as error:
    sys.exit(f"{url}: {error}")
for path, image in zip(paths, answer["images"], strict=True):
    faces = [rdrface.Face.from_dict(face) for face in image["faces"]]
    print(f"{path}: {image['error'] or faces}")
