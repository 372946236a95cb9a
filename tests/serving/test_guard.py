"""Every response has security headers, and every request a line in the log without personal data."""

import logging
import re

from rdrface.serving.guard import ACCESS_LOG
from served_aligner import png


def test_every_response_has_security_headers(client):
    responses = [
        client.get("/"),
        client.get("/docs"),
        client.get("/livez"),
        client.get("/missing"),
        client.put("/v1/faces"),
        client.get("/livez", headers={"Host": "evil.example"}),
        client.post("/v1/faces", files=[("images", ("a.png", png()))]),
    ]
    for response in responses:
        headers = response.headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-embedder-policy"] == "require-corp"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-request-id"]
    assert responses[-1].headers["cache-control"] == "no-store"


def test_the_pages_need_nothing_that_the_policy_forbids(client):
    for path in ("/", "/docs"):
        text = client.get(path).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", text)
        assert "http://" not in text.replace("http://127.0.0.1", "") and "https://" not in text


def test_errors_have_codes_and_allowed_methods(client):
    missing, wrong = client.get("/missing"), client.get("/v1/faces")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


def test_the_access_log_has_no_personal_data(client, caplog):
    caplog.set_level(logging.INFO, ACCESS_LOG.name)
    client.post("/v1/faces?name=ann", files=[("images", ("ann.png", png()))], headers={"User-Agent": "ann"})
    client.get("/ann")
    lines = [record.getMessage() for record in caplog.records if record.name == ACCESS_LOG.name]
    assert [line.split()[:3] for line in lines] == [["POST", "/v1/faces", "200"], ["GET", "other", "404"]]
    assert not any(word in line for line in lines for word in ("ann", "testclient", "127.0.0.1"))


def test_metrics_count_requests_images_and_faces(client):
    client.post("/v1/faces", files=[("images", ("a.png", png(2))), ("images", ("b.png", b"x"))])
    client.get("/nobody/chooses/labels")
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    for line in (
        'rdrface_requests_total{endpoint="/v1/faces",status="200"} 1.0',
        'rdrface_requests_total{endpoint="other",status="404"} 1.0',
        'rdrface_images_total{outcome="ok"} 1.0',
        'rdrface_images_total{outcome="unsupported_image"} 1.0',
        "rdrface_faces_total 2.0",
        "rdrface_batch_images_count 1.0",
        "rdrface_inference_duration_seconds_count 1.0",
        "rdrface_waiting_images 0.0",
    ):
        assert line in response.text, line
    assert "nobody" not in response.text and "rdrface_build_info{version=" in response.text
