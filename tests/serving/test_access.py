"""Who may use the server: host names, other sites, the API key."""

import pytest

from rdrface.serving.access import Access, allowed_hosts, host_name, is_loopback
from served_aligner import png

KEY = "0123456789abcdef"
FILES = [("images", ("a.png", png()))]


def test_other_host_names_are_refused_on_loopback(client):
    for host in ("localhost", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"):
        assert client.get("/livez", headers={"Host": host}).status_code == 200, host
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::2]"):
        response = client.get("/livez", headers={"Host": host})
        assert (response.status_code, response.json()["error"]["code"]) == (421, "unknown_host"), host


@pytest.mark.parametrize(
    ("listens_on", "names", "expected"),
    [
        ("127.0.0.1", [], True),
        ("0.0.0.0", [], None),
        ("0.0.0.0", ["Faces.example"], True),
        ("127.0.0.1", ["faces.example"], True),
    ],
)
def test_allowed_hosts(listens_on, names, expected):
    hosts = allowed_hosts(listens_on, names)
    assert (hosts is None) == (expected is None)
    if hosts is not None:
        assert {"localhost", *(name.lower() for name in names)} <= hosts


def test_host_names_and_loopback():
    assert [host_name(text) for text in ("A.b:80", "[::1]:80", "::1")] == ["a.b", "[::1]", "[::1]"]
    assert [is_loopback(text) for text in ("127.0.0.2", "::1", "[::1]", "localhost", "0.0.0.0", "a.example")] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]


def test_pages_of_other_sites_cannot_send_images(client):
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        assert client.post("/v1/faces", files=FILES, headers={"Sec-Fetch-Site": site}).status_code == status


def test_the_key_is_needed_for_faces_and_metrics_only(client_with):
    client = client_with(Access(api_key=KEY))
    for path in ("/", "/docs", "/openapi.json", "/livez", "/readyz", "/healthz"):
        assert client.get(path).status_code == 200
    for headers in ({}, {"X-API-Key": KEY[:-1]}, {"X-API-Key": KEY + "x"}, {"Authorization": "Basic " + KEY}):
        for response in (
            client.post("/v1/faces", files=FILES, headers=headers),
            client.get("/metrics", headers=headers),
        ):
            assert response.status_code == 401 and response.json()["error"]["code"] == "unauthorized"
            assert response.headers["www-authenticate"] == "Bearer" and KEY not in response.text
    for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
        assert client.post("/v1/faces", files=FILES, headers=headers).status_code == 200
        assert client.get("/metrics", headers=headers).status_code == 200


def test_without_a_key_none_is_needed(client):
    assert client.post("/v1/faces", files=FILES).status_code == 200
