"""``rdrface serve``."""

import argparse
import io
import json
import signal
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi")

import rdrface
from rdrface.cli import serve
from rdrface.cli.main import main
from rdrface.errors import ConfigError
from rdrface.serving.face_finder import FaceFinder
from served_aligner import ServedAligner
from server_process import form

KEY = "0123456789abcdef"


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    return parser.parse_args(words)


def test_a_photo_has_the_same_faces_as_in_python(tmp_path):
    pixels = pytest.importorskip("skimage.data").astronaut()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    (tmp_path / "key").write_text(KEY + "\n")
    command = [sys.executable, "-m", "rdrface", "serve", "--port", "0", "--threads", "1", "--api-key-file", "key"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        assert line.startswith("rdrface: serving http://127.0.0.1:"), line
        url = line.split()[2]
        body, kind = form(file.getvalue())
        headers = {"Content-Type": kind, "X-API-Key": KEY}
        with urllib.request.urlopen(urllib.request.Request(f"{url}/v1/faces", body, headers)) as response:
            result = json.load(response)
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    (face,) = rdrface.load(threads=1).detect(pixels)
    served = rdrface.Face.from_dict(result["images"][0]["faces"][0])
    np.testing.assert_allclose(served.landmarks, face.landmarks, atol=0.05)
    assert result["model"]["version"] == rdrface.__version__ and result["model"]["crop_size"]
    assert "POST /v1/faces 200" in rest and KEY not in rest and "key" not in rest


def test_the_options_become_limits():
    limits = serve._limits(
        options("--max-bytes", "7", "--max-megapixels", "0.5", "--timeout", "2.5", "--max-faces", "3")
    )
    assert (limits.max_bytes, limits.max_pixels, limits.timeout, limits.max_faces) == (7, 500_000, 2.5, 3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--max-queue", "3"), "max_queue must be at least max_images"),
        (("--max-megapixels", "9999"), "max_pixels must be at most"),
        (("--max-bytes", "999999999999"), "max_buffered_bytes must be at least max_bytes"),
        (("--certificate", "a.pem"), "--key"),
        (("--certificate", "a.pem", "--key", "a.pem"), "certificate"),
        (("--api-key-file", "missing"), "cannot be read"),
        (("--host", "256.0.0.1"), "--host"),
    ],
)
def test_unusable_options_are_errors(words, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serve, "_finders", lambda args, max_faces: [FaceFinder(ServedAligner(), max_faces)])
    assert main(["serve", "--port", "0", *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--port", "70000"), ("--timeout", "0"), ("--max-faces", "0"), ("--port", "x")])
def test_impossible_values_are_wrong_usage(words):
    with pytest.raises(SystemExit):
        options(*words)


@pytest.mark.parametrize("key", ["short", "x" * 10 + " " + "x" * 10, "\u00e9" * 20, ""])
def test_an_unusable_key_is_an_error(key, monkeypatch, tmp_path):
    monkeypatch.setenv(serve.KEY_VARIABLE, key)
    with pytest.raises(ConfigError, match="at least 16"):
        serve._api_key(None)
    (tmp_path / "key").write_text(key, encoding="utf-8")
    with pytest.raises(ConfigError, match="at least 16"):
        serve._api_key(tmp_path / "key")


def test_the_key_comes_from_the_file_or_the_environment(monkeypatch, tmp_path):
    assert serve._api_key(None) is None
    monkeypatch.setenv(serve.KEY_VARIABLE, KEY)
    assert serve._api_key(None) == KEY
    (tmp_path / "key").write_text("another-key-of-16\n")
    assert serve._api_key(tmp_path / "key") == "another-key-of-16"
