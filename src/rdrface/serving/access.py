"""Who may use the server: names of the host, other websites, and the API key."""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from rdrface.serving.request_errors import RequestError

API_KEY_HEADER = "X-API-Key"

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True)
class Access:
    """Rules of access.

    Attributes:
        allowed_hosts: accepted names in the header Host, without port; None accepts all.
        api_key: the key that `/v1/faces`, `/v1/glb` and `/metrics` require; None requires none.
    """

    allowed_hosts: frozenset[str] | None = _LOOPBACK_NAMES
    api_key: str | None = None

    def check(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Check the head of a request.

        Args:
            method: GET, POST, ...
            path: path of the URL.
            headers: names are case-insensitive or lower case.

        Raises:
            RequestError: the request is refused.
        """
        if self.allowed_hosts is not None and host_name(headers.get("host", "")) not in self.allowed_hosts:
            # A website whose name an attacker points to this machine could use the server otherwise (DNS rebinding).
            raise RequestError(
                421, "unknown_host", "the server is not known by the host name of this URL (--allowed-host)"
            )
        if method not in ("GET", "HEAD") and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            raise RequestError(403, "cross_site", "pages of other sites may not use this server")
        if self.api_key is not None and needs_key(method, path):
            given = headers.get(API_KEY_HEADER.lower(), "")
            if not given and headers.get("authorization", "")[:7].lower() == "bearer ":
                given = headers["authorization"][7:].strip()
            if not hmac.compare_digest(_digest(given), _digest(self.api_key)):
                raise RequestError(
                    401,
                    "unauthorized",
                    f"the API key is missing or wrong; send it in the header {API_KEY_HEADER}",
                    {"WWW-Authenticate": "Bearer"},
                )


def needs_key(method: str, path: str) -> bool:
    """Whether a request needs the API key, if there is one. Pages, the face model and health checks do not."""
    return path == "/metrics" or (path.startswith("/v1/") and method not in ("GET", "HEAD"))


def allowed_hosts(listens_on: str, names: list[str]) -> frozenset[str] | None:
    """Accepted host names of a server.

    Args:
        listens_on: address that the server listens on.
        names: further names; with them, no other name is accepted.

    Returns:
        The names in lower case; None if all are accepted, that is, on an address that others reach, without `names`.
    """
    if names:
        return _LOOPBACK_NAMES | {host_name(name) for name in names}
    return _LOOPBACK_NAMES | {host_name(listens_on)} if is_loopback(listens_on) else None


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach the address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def host_name(host: str) -> str:
    """The host of a header Host, in lower case and without port; IPv6 addresses in brackets."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return f"[{host}]" if host.count(":") > 1 else host.partition(":")[0]


def _digest(text: str) -> bytes:
    # Of equal length, so that the time of the comparison does not depend on the length of the key.
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
