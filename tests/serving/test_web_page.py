"""The page, its files and the face model."""

import pytest

pytest.importorskip("fastapi")

from starlette.requests import Request

from rdrface.serving.web_page import StaticFile, WebPage, _read


def test_the_page_is_served(client):
    response = client.get("/")
    assert response.status_code == 200 and response.headers["content-type"].startswith("text/html")
    assert "rdrface" in response.text
    assert client.head("/").status_code == 200


def test_the_face_model_is_served_or_its_absence_explained(client):
    response = client.get("/v1/model")
    if WebPage.installed().face_model is None:
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_installed")
        return
    assert response.headers["content-type"] == "application/octet-stream"
    again = client.get("/v1/model", headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_files_are_read_once_without_hidden_ones(tmp_path):
    for name in ("index.html", "js/main.js", "js/a.wasm", ".secret", "__pycache__/a.pyc", "data.unknown"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    files = dict(_read(tmp_path))
    assert {name: file.media_type.partition(";")[0] for name, file in files.items()} == {
        "index.html": "text/html",
        "js/main.js": "text/javascript",
        "js/a.wasm": "application/wasm",
        "data.unknown": "application/octet-stream",
    }


def test_a_known_file_is_not_sent_again():
    def request(**headers: str) -> Request:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        return Request({"type": "http", "method": "GET", "headers": raw})

    file = StaticFile(b"content", "text/css")
    first = file.response(request())
    assert first.body == b"content" and first.headers["cache-control"] == "no-cache"
    assert file.response(request(**{"if-none-match": first.headers["etag"]})).status_code == 304


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/%2e%2e/pyproject.toml", "/..%2f..%2fetc/passwd", "//etc/passwd"]
)
def test_no_other_file_is_served(client, path):
    assert client.get(path).status_code == 404
