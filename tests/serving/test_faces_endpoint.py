"""POST /v1/faces: forms and JSON, several images, an error per image and per request."""

import base64
import threading

import pytest

from rdrface.face import Face
from served_aligner import FAILING, SLOW, png
from some_face import some_face


def files(*contents: bytes) -> list:
    return [("images", (f"{i}.png", content)) for i, content in enumerate(contents)]


def encoded(*contents: bytes) -> dict:
    return {"images": [base64.b64encode(content).decode() for content in contents]}


def code(response) -> str:
    return response.json()["error"]["code"]


def test_a_form_with_several_images_gives_their_faces_in_order(client):
    response = client.post("/v1/faces", files=files(png(2), png(0), png(1, (20, 30))))
    assert response.status_code == 200
    images = response.json()["images"]
    assert [len(image["faces"]) for image in images] == [2, 0, 1]
    assert (images[2]["width"], images[2]["height"]) == (20, 30)
    assert images[0]["faces"][0] == some_face().to_dict()
    assert Face.from_dict(images[0]["faces"][0]).pose.yaw == pytest.approx(some_face().pose.yaw)


def test_json_gives_the_same_as_a_form(client):
    form = client.post("/v1/faces", files=files(png(1), png(2)))
    assert client.post("/v1/faces", json=encoded(png(1), png(2))).json() == form.json()


def test_an_unusable_image_has_an_error_and_the_others_have_faces(client):
    images = client.post("/v1/faces", files=files(png(1), b"text", b"", png(1)[:60], png(2))).json()["images"]
    errors = [image["error"] and image["error"]["code"] for image in images]
    assert errors == [None, "unsupported_image", "empty_image", "damaged_image", None]
    assert [len(image["faces"]) for image in images] == [1, 0, 0, 0, 2]
    assert images[1]["width"] is None


@pytest.mark.parametrize(("text", "hint"), [("%%%", ""), ("data:image/png;base64,AAAA", "data URL")])
def test_invalid_base64_is_an_error_of_the_image(client, text, hint):
    error = client.post("/v1/faces", json={"images": [text]}).json()["images"][0]["error"]
    assert error["code"] == "invalid_base64" and hint in error["message"]


def test_paths_and_urls_are_not_opened(client, tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    for text in (str(tmp_path / "a.png"), (tmp_path / "a.png").as_uri(), "http://127.0.0.1/a.png"):
        assert client.post("/v1/faces", json={"images": [text]}).json()["images"][0]["error"]
        response = client.post("/v1/faces", data={"images": text}, files=files(png()))
        assert (response.status_code, code(response)) == (422, "not_a_file")


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported_media_type"),
        ({"content": b"x"}, 415, "unsupported_media_type"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 422, "invalid_request"),
        ({"json": {"images": []}}, 422, "invalid_request"),
        ({"json": {"images": [1]}}, 422, "invalid_request"),
        ({"json": {"images": ["AAAA"], "url": "x"}}, 422, "invalid_request"),
        ({"json": []}, 422, "invalid_request"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "malformed_form"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=a"}}, 400, "malformed_form"),
        ({"files": [("photo", ("a.png", b"x"))]}, 422, "unknown_field"),
    ],
)
def test_wrong_requests_have_an_error_of_their_own(client, arguments, status, expected):
    response = client.post("/v1/faces", **arguments)
    assert (response.status_code, code(response)) == (status, expected)


def test_too_many_images_are_refused(client_with):
    client = client_with(max_images=2)
    for arguments in ({"files": files(*[png()] * 3)}, {"json": encoded(*[png()] * 3)}):
        response = client.post("/v1/faces", **arguments)
        assert (response.status_code, code(response)) == (422, "too_many_images")


def test_too_many_bytes_are_refused(client_with):
    client = client_with(max_bytes=100)
    response = client.post("/v1/faces", content=b"x" * 101, headers={"Content-Type": "application/json"})
    assert (response.status_code, code(response)) == (413, "body_too_large")
    assert "--max-bytes" in response.json()["error"]["message"]


def test_too_many_bytes_of_unknown_length_are_refused(client_with):
    client = client_with(max_bytes=100)
    response = client.post("/v1/faces", content=iter([b"x" * 60] * 2), headers={"Content-Type": "application/json"})
    assert (response.status_code, code(response)) == (413, "body_too_large")


def test_the_memory_for_bodies_is_limited_and_given_back(client_with):
    client = client_with(max_bytes=400, max_buffered_bytes=400)
    for _ in range(5):
        assert client.post("/v1/faces", files=files(png())).status_code == 200
    assert "rdrface_buffered_bytes 0.0" in client.get("/metrics").text


def test_too_many_pixels_are_refused(client_with):
    error = client_with(max_pixels=100).post("/v1/faces", files=files(png(1, (11, 10)))).json()["images"][0]["error"]
    assert error["code"] == "too_many_pixels"


def test_too_many_faces_are_refused(client_with):
    images = client_with(max_faces=3).post("/v1/faces", files=files(png(3), png(4))).json()["images"]
    assert [image["error"] and image["error"]["code"] for image in images] == [None, "too_many_faces"]


def test_a_slow_result_is_a_timeout(client_with):
    response = client_with(timeout=0.2).post("/v1/faces", files=files(png(SLOW)))
    assert (response.status_code, code(response)) == (504, "timeout")


def test_a_full_queue_is_an_error_and_empties_again(client_with):
    client = client_with(max_queue=2, max_images=2)
    thread = threading.Thread(target=client.post, args=("/v1/faces",), kwargs={"files": files(png(SLOW))})
    thread.start()
    while "rdrface_waiting_images 1.0" not in client.get("/metrics").text:
        pass
    response = client.post("/v1/faces", files=files(png(), png()))
    assert (response.status_code, code(response)) == (503, "queue_full")
    assert response.headers["retry-after"] == "1"
    thread.join()
    assert client.post("/v1/faces", files=files(png(), png())).status_code == 200


def test_a_failure_does_not_show_its_reason(client, caplog):
    response = client.post("/v1/faces", files=files(png(FAILING)))
    assert (response.status_code, code(response)) == (500, "internal_error")
    assert "secret" not in response.text and "Traceback" not in response.text
    assert response.headers["x-request-id"] in caplog.text and "secret of the machine" in caplog.text


def test_an_image_that_fails_does_not_harm_the_others_of_its_batch(client):
    statuses = {}

    def send(red: int) -> None:
        statuses[red] = client.post("/v1/faces", files=files(png(red))).status_code

    threads = [threading.Thread(target=send, args=(red,)) for red in (SLOW, FAILING, 1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.pop(FAILING) == 500
    assert set(statuses.values()) == {200}


def test_images_of_concurrent_requests_share_batches(client, aligner):
    threads = [
        threading.Thread(target=client.post, args=("/v1/faces",), kwargs={"files": files(png(red))})
        for red in (SLOW, *[1] * 9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(aligner.batches) == 10 and max(aligner.batches) > 3
