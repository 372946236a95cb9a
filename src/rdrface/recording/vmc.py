"""Live avatars: blendshapes and rotation of the head over OSC, in the Virtual Motion Capture protocol, version 3.1."""

import socket
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from rdrface.errors import ConfigError, DataError
from rdrface.face import Face
from rdrface.geometry.rotation import rotation_about, rotation_vector
from rdrface.recording.frame_record import FrameRecord
from rdrface.scene.glb import quaternion

Names = Literal["arkit", "vrm0", "vrm1"]
"""Names of the blendshapes that an avatar has: ARKit's in PascalCase ("perfect sync"), or the presets of VRM 0 or 1."""

PORT = 39540
"""Port of a Performer, to which a sender of faces only should send (an Assistant); a Marionette has 39539."""

_VRM0: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"Blink_L": ("eyeBlinkLeft",), "Blink_R": ("eyeBlinkRight",), "A": ("jawOpen",), "U": ("mouthPucker",)}
    | {"O": ("mouthFunnel",), "Joy": ("mouthSmileLeft", "mouthSmileRight")}
)
_VRM1_OF_VRM0 = {"Blink_L": "blinkLeft", "Blink_R": "blinkRight", "A": "aa", "U": "ou", "O": "oh", "Joy": "happy"}
_PRESETS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"vrm0": _VRM0, "vrm1": {_VRM1_OF_VRM0[name]: shapes for name, shapes in _VRM0.items()}}
)
"""Preset -> the blendshapes of which it is the mean."""

_NUM_PER_BUNDLE = 20
"""Messages in one packet: below 1500 bytes, which pass every network in one piece."""

_AWAY = 1.0
"""Seconds after which another person is sent, if the one that was sent is no longer in the video."""


class VMCSender:
    """Sends one person's face to an avatar program, over UDP.

    Each frame is the time, the blendshapes and the local rotation of the bones Neck and Head, which share the rotation
    of the head equally. Positions are not sent (they are 0). The person with the lowest number is sent until it has
    been away for a second. Without a face, the last values stay.

    Args:
        host: name or address of the computer with the avatar program.
        port: its port.
        names: names of the blendshapes, see `Names`.
        is_live: frames arrive when they are recorded, as from a camera; otherwise they are sent at the rate of the
            video.

    Raises:
        ConfigError: python-osc is not installed, or the host is not known.
        ValueError: `names` has another value.
    """

    def __init__(self, host: str, port: int = PORT, names: Names = "arkit", is_live: bool = True) -> None:
        if names not in get_args(Names):
            raise ValueError(f"names must be one of {', '.join(get_args(Names))}; got {names!r}")
        self._build = _bundle_builder()
        self._target = f"{host}:{port}"
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, protocol)
            self._socket.connect(address)
        except (OSError, UnicodeError, OverflowError) as error:
            raise ConfigError(f"{self._target} is not a host and a port to which faces can be sent: {error}") from error
        self._names, self._is_live = names, is_live
        self._person: int | None = None
        self._seen = -np.inf
        self._offset: float | None = None

    def write(self, frame: FrameRecord) -> None:
        """Send a frame; waits for its time if the video is not live.

        Raises:
            DataError: it cannot be sent.
        """
        if not self._is_live:
            self._wait(frame.time)
        faces = {one.id: one.face for one in frame.faces}
        if faces and (self._person is None or (self._person not in faces and frame.time - self._seen > _AWAY)):
            self._person = min(faces)
        face = faces.get(self._person) if self._person is not None else None
        messages: list[tuple[str, list[Any]]] = [("/VMC/Ext/OK", [1]), ("/VMC/Ext/T", [float(frame.time)])]
        if face is not None:
            self._seen = frame.time
            messages += face_messages(face, self._names)
        try:
            for start in range(0, len(messages), _NUM_PER_BUNDLE):
                self._socket.send(self._build(messages[start : start + _NUM_PER_BUNDLE]))
        except ConnectionRefusedError:
            pass  # no program is listening yet; it may start later
        except OSError as error:
            raise DataError(f"faces cannot be sent to {self._target}: {error.strerror or error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def stop(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _wait(self, at: float) -> None:
        now = time.monotonic()
        if self._offset is None:
            self._offset = now - at
        # If the tracking is slower than the video, the frames that are late are sent at once.
        time.sleep(max(0.0, self._offset + at - now))


def face_messages(face: Face, names: Names = "arkit") -> list[tuple[str, list[Any]]]:
    """The messages of one face: address and arguments.

    The axes are those of Unity, left-handed with y up and z out of the face: x is negated.
    """
    x, y, z, w = quaternion(_half(face.pose.rotation)).tolist()
    messages: list[tuple[str, list[Any]]] = [
        ("/VMC/Ext/Bone/Pos", [bone, 0.0, 0.0, 0.0, x, -y, -z, w]) for bone in ("Neck", "Head")
    ]
    values = _values(face, names)
    messages += [("/VMC/Ext/Blend/Val", [name, float(value)]) for name, value in values.items()]
    return [*messages, ("/VMC/Ext/Blend/Apply", [])]


def _values(face: Face, names: Names) -> dict[str, float]:
    shapes = face.blendshapes
    if names == "arkit":
        return {f"{name[0].upper()}{name[1:]}": value for name, value in shapes.items()}
    return {preset: sum(shapes[name] for name in parts) / len(parts) for preset, parts in _PRESETS[names].items()}


def _bundle_builder() -> Callable[[list[tuple[str, list[Any]]]], bytes]:
    """A function that encodes messages as one OSC bundle."""
    try:
        from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
        from pythonosc.osc_message_builder import build_msg
    except ImportError as error:
        raise ConfigError(
            f"VMC needs python-osc, which cannot be imported ({error}): pip install 'rdrface[avatars]'"
        ) from error

    def build(messages: list[tuple[str, list[Any]]]) -> bytes:
        bundle = OscBundleBuilder(IMMEDIATELY)
        for address, arguments in messages:
            bundle.add_content(build_msg(address, arguments))
        content: bytes = bundle.build().dgram
        return content

    return build


def _half(rotation: np.ndarray) -> np.ndarray:
    """Rotation about the same axis by half the angle, (3, 3)."""
    half: np.ndarray = rotation_about(rotation_vector(rotation.astype(np.float64)) / 2)
    return half
