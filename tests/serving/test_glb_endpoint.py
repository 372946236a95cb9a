"""POST /v1/glb: a 3D file of one face."""

import importlib.util

import pytest

from served_aligner import png

pytestmark = pytest.mark.skipif(importlib.util.find_spec("rdrface.scene") is None, reason="needs rdrface.scene")


def files(*contents: bytes) -> list:
    return [("images", (f"{i}.png", content)) for i, content in enumerate(contents)]


@pytest.mark.parametrize("query", ["", "?face=1", "?texture=false", "?pose=posed&region=head"])
def test_a_face_becomes_a_glb_file(client, query):
    response = client.post(f"/v1/glb{query}", files=files(png(2, (320, 240))))
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "model/gltf-binary"
    assert response.content[:4] == b"glTF" and int.from_bytes(response.content[8:12], "little") == len(response.content)


@pytest.mark.parametrize(
    ("query", "contents", "status", "code"),
    [
        ("?face=2", [png(2)], 404, "no_such_face"),
        ("", [png(0)], 404, "no_such_face"),
        ("", [b"text"], 404, "unsupported_image"),
        ("", [png(), png()], 422, "too_many_images"),
        ("?face=-1", [png()], 422, "invalid_request"),
        ("?pose=x", [png()], 422, "invalid_request"),
    ],
)
def test_errors(client, query, contents, status, code):
    response = client.post(f"/v1/glb{query}", files=files(*contents))
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
