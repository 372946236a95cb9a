"""The OpenAPI description agrees with the server: schemathesis sends what it allows and what it forbids."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("fastapi")

from rdrface.serving.access import Access
from rdrface.serving.documents import FaceDocument
from server_process import running_server
from some_face import some_face


def test_schemathesis_finds_nothing(tmp_path):
    pytest.importorskip("schemathesis")
    command = Path(sys.executable).with_name("schemathesis")
    with running_server() as server:
        options = ("--checks", "all", "--max-examples", "30", "--seed", "0", "--no-color")
        done = subprocess.run(
            [command, "run", f"{server.url}/openapi.json", *options],
            cwd=tmp_path,  # it writes its cache there
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout
        assert server.is_alive()
        server.terminate()
        assert "Traceback" not in server.log()


def test_the_description_of_a_face_is_what_a_face_has():
    content = some_face().to_dict()
    FaceDocument.model_validate(content, strict=True)
    assert set(content) == set(FaceDocument.model_fields) - {"custom_landmarks"}


def test_a_key_is_described_if_the_server_has_one(client, client_with):
    assert "security" not in client.get("/openapi.json").json()["paths"]["/v1/faces"]["post"]
    described = client_with(Access(api_key="0123456789abcdef")).get("/openapi.json").json()
    assert described["paths"]["/v1/faces"]["post"]["security"] and described["paths"]["/metrics"]["get"]["security"]
    assert "security" not in described["paths"]["/livez"]["get"]
    assert described["components"]["securitySchemes"]["key"]["name"] == "X-API-Key"


def test_the_page_of_the_description_lists_every_path_and_document(client):
    described, page = client.get("/openapi.json").json(), client.get("/docs").text
    assert all(f"<code>{path}</code>" in page for path in described["paths"])
    assert all(f'id="{name}"' in page for name in described["components"]["schemas"])
    assert client.get("/docs/style.css").headers["content-type"].startswith("text/css")
