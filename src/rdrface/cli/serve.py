"""``rdrface serve``: the web page and the HTTP API."""

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdrface.aligner import Aligner
from rdrface.cli.options import add_network, network_arguments, open_aligner, positive
from rdrface.errors import ConfigError
from rdrface.serving.limits import Limits
from rdrface.worker_process import num_cores

if TYPE_CHECKING:
    from rdrface.serving.face_finder import Finder

KEY_VARIABLE = "RDRFACE_API_KEY"
"""Environment variable with the API key."""

MIN_KEY = 16
"""Minimum number of characters of an API key."""

_DEFAULTS = Limits()

_MAX_WORKERS = 4
"""Default for machines with more cores. The process that talks to the clients has no time for more workers."""

_CORES_OF_WORKER = 2
"""Two threads in one process are faster than two processes with one thread, whose batches are smaller."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rdrface serve`."""
    server = parser.add_argument_group("server")
    server.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 is all of them (default: 127.0.0.1)"
    )
    server.add_argument("--port", type=_port, default=8000, help="0 chooses a free one (default: 8000)")
    server.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="accept only URLs with this host name, besides localhost; can be repeated (default: with a loopback "
        "address only localhost, otherwise all)",
    )
    server.add_argument(
        "--api-key-file",
        type=Path,
        metavar="FILE",
        help=f"require the key in this file for finding faces and for metrics (default: the variable {KEY_VARIABLE})",
    )
    server.add_argument("--certificate", type=Path, metavar="FILE", help="PEM file, for HTTPS (needs --key)")
    server.add_argument("--key", type=Path, metavar="FILE", help="PEM file of the certificate's private key")
    server.add_argument("--no-access-log", action="store_true", help="do not print a line for each request")
    server.add_argument(
        "--stop-timeout",
        type=_seconds,
        default=60.0,
        metavar="S",
        help="seconds for finishing accepted requests after SIGTERM or Ctrl-C (default: 60)",
    )
    server.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help=f"processes that find faces, each with --threads threads (default: one for {_CORES_OF_WORKER} cores, at "
        f"most {_MAX_WORKERS}, which share all cores; with cuda one)",
    )
    _add_limits(parser.add_argument_group("limits"))
    add_network(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command until it is stopped by a signal.

    Raises:
        RdrError: options cannot be combined, the weights cannot be loaded, or the address cannot be used.
        ModuleNotFoundError: the extra `serve` is not installed.
    """
    from rdrface.serving.access import Access, allowed_hosts, is_loopback
    from rdrface.serving.app import create_app
    from rdrface.serving.server import Certificate, listen, log_to_stderr, serve, url_of

    limits, key = _limits(args), _api_key(args.api_key_file)
    if (args.certificate is None) != (args.key is None):
        raise ConfigError("--certificate and --key belong together; pass both, or none for HTTP")
    certificate = Certificate(args.certificate, args.key) if args.certificate else None
    with listen(args.host, args.port) as listening:
        url = url_of(listening, certificate is not None)
        log_to_stderr(not args.no_access_log)
        if key is None and not is_loopback(listening.getsockname()[0]):
            _print(f"anyone who reaches {args.host} can use this server; an API key prevents it ({KEY_VARIABLE})")
        finders = _finders(args, limits.max_faces)
        try:
            app = create_app(finders, limits, Access(allowed_hosts(args.host, args.allowed_host), key))
            serve(
                app,
                listening,
                limits,
                args.stop_timeout,
                certificate,
                lambda: _print(f"serving {url} (Ctrl-C stops); API: {url}/docs"),
            )
        finally:
            for finder in finders:
                finder.stop()
    return 0


def _add_limits(group: argparse._ArgumentGroup) -> None:
    for option, metavar, kind, default, help in (
        ("--max-bytes", "N", positive, _DEFAULTS.max_bytes, "bytes of a request"),
        (
            "--max-buffered-bytes",
            "N",
            positive,
            _DEFAULTS.max_buffered_bytes,
            "bytes of all requests that are being received or processed",
        ),
        (
            "--max-decoded-bytes",
            "N",
            positive,
            _DEFAULTS.max_decoded_bytes,
            "bytes of all images that are being decoded or processed; one that needs more is decoded alone",
        ),
        ("--max-images", "N", positive, _DEFAULTS.max_images, "images of a request"),
        ("--max-megapixels", "N", _number, _DEFAULTS.max_pixels / 1e6, "megapixels of an image"),
        ("--max-faces", "N", positive, _DEFAULTS.max_faces, "faces in an image"),
        ("--max-queue", "N", positive, _DEFAULTS.max_queue, "images that wait or are being processed"),
        ("--max-connections", "N", positive, _DEFAULTS.max_connections, "open connections"),
        ("--timeout", "S", _seconds, _DEFAULTS.timeout, "seconds for processing a request"),
        ("--body-timeout", "S", _seconds, _DEFAULTS.body_timeout, "seconds for receiving a request"),
    ):
        group.add_argument(option, type=kind, default=default, metavar=metavar, help=f"{help} (default: {default:g})")


def _limits(args: argparse.Namespace) -> Limits:
    try:
        return Limits(
            max_bytes=args.max_bytes,
            max_buffered_bytes=args.max_buffered_bytes,
            max_decoded_bytes=args.max_decoded_bytes,
            max_images=args.max_images,
            max_pixels=round(args.max_megapixels * 1e6),
            max_faces=args.max_faces,
            max_queue=args.max_queue,
            max_connections=args.max_connections,
            timeout=args.timeout,
            body_timeout=args.body_timeout,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _api_key(path: Path | None) -> str | None:
    """The key in a file or in the environment. Not an option: others on the machine can read command lines."""
    try:
        key = os.environ.get(KEY_VARIABLE) if path is None else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file of the API key {path} cannot be read: {error}") from error
    if key is None:
        return None
    key = key.strip()
    if len(key) < MIN_KEY or not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigError(
            f"an API key must have at least {MIN_KEY} printable ASCII characters without spaces; make one with: "
            "python -c 'import secrets; print(secrets.token_urlsafe())'"
        )
    return key


def _finders(args: argparse.Namespace, max_faces: int) -> "list[Finder]":
    """The processes that find faces. They have the cores together, or share a GPU."""
    from rdrface.serving.finder_process import FinderProcess

    has_gpu = args.device == "cuda"
    count = args.workers or (1 if has_gpu else min(max(1, num_cores() // _CORES_OF_WORKER), _MAX_WORKERS))
    settings = network_arguments(args)
    if settings["threads"] is None and not has_gpu:
        settings["threads"] = max(1, num_cores() // count)
    opener = partial(_open, args.weights, settings, max_faces)
    return [FinderProcess(opener, max_faces) for _ in range(count)]


def _open(weights: Path | None, settings: dict[str, Any], max_faces: int) -> Aligner:
    from rdrface.serving.limited_detector import with_limited_detector

    return with_limited_detector(open_aligner(weights, settings), max_faces)


def _print(message: str) -> None:
    print(f"rdrface: {message}", file=sys.stderr, flush=True)


def _port(text: str) -> int:
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"must be a whole number of 0 to 65535; got {text}")
    return value


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number; got {text}")
    return value


_seconds = _number
