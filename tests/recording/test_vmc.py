"""The VMC protocol: messages, axes, one person, timing."""

import socket
import time
from contextlib import contextmanager

import numpy as np
import pytest

from rdrface.errors import ConfigError
from rdrface.face import packaged_model
from rdrface.geometry.rotation import rotation_about
from rdrface.recording import vmc
from rdrface.recording.vmc import VMCSender, face_messages
from recorded import face_with, record
from some_face import some_face


@pytest.fixture
def receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(2)
        yield opened


def received(receiver):
    """Address -> arguments of all messages until `/VMC/Ext/Blend/Apply`; sizes of the packets."""
    bundles = pytest.importorskip("pythonosc.osc_bundle")
    messages, sizes = [], []
    while not messages or messages[-1][0] != "/VMC/Ext/Blend/Apply":
        packet = receiver.recv(65536)
        sizes.append(len(packet))
        messages += [(one.address, one.params) for one in bundles.OscBundle(packet)]
    return messages, sizes


@contextmanager
def sender(receiver, **options):
    pytest.importorskip("pythonosc")
    sending = VMCSender("127.0.0.1", receiver.getsockname()[1], **options)
    yield sending
    sending.close()


def test_a_frame_is_received_complete_and_in_order(receiver):
    with sender(receiver) as sending:
        sending.write(record(3, jaw_open=0.4))
        messages, sizes = received(receiver)
    assert max(sizes) <= 1500
    assert messages[0] == ("/VMC/Ext/OK", [1])
    assert messages[1][0] == "/VMC/Ext/T" and messages[1][1] == pytest.approx([3 / 25])
    values = dict(arguments for address, arguments in messages if address == "/VMC/Ext/Blend/Val")
    assert set(values) == {f"{name[0].upper()}{name[1:]}" for name in packaged_model().expression_names}
    assert values["JawOpen"] == pytest.approx(0.4) and isinstance(values["BrowInnerUp"], float)
    assert messages[-1] == ("/VMC/Ext/Blend/Apply", [])
    bones = [arguments for address, arguments in messages if address == "/VMC/Ext/Bone/Pos"]
    assert [one[0] for one in bones] == ["Neck", "Head"] and all(len(one) == 8 for one in bones)


def test_the_bones_together_rotate_the_head_in_unitys_axes():
    face = some_face(angles=(0.3, -0.5, 0.2))
    bones = [arguments for address, arguments in face_messages(face) if address == "/VMC/Ext/Bone/Pos"]
    x, y, z, w = bones[0][4:]
    assert bones[0][1:] == bones[1][1:]
    angle = 2 * np.arccos(w)
    half = rotation_about(np.array([x, y, z]) / np.sin(angle / 2) * angle)
    # x is negated from our axes to Unity's.
    flip = np.diag([-1.0, 1.0, 1.0])
    np.testing.assert_allclose(half @ half, flip @ face.pose.rotation @ flip, atol=1e-6)


@pytest.mark.parametrize(("names", "blink", "jaw"), [("vrm0", "Blink_L", "A"), ("vrm1", "blinkLeft", "aa")])
def test_presets_of_vrm(names, blink, jaw):
    values = dict(arguments for address, arguments in face_messages(face_with(0.4), names) if "Val" in address)
    assert values[jaw] == pytest.approx(0.4) and blink in values and "JawOpen" not in values


def test_one_person_is_sent_until_it_has_been_away_for_a_second(receiver):
    found = []
    with sender(receiver) as sending:
        for index, (time_of_frame, ids) in enumerate([(0.0, (1, 2)), (0.4, (2,)), (0.8, (2, 1)), (6.0, (2,))]):
            sending.write(record(index, ids, time=time_of_frame, jaw_open=0.1 * (index + 1)))
            if index == 1:
                receiver.recv(65536)  # the time alone
                continue
            values = dict(arguments for address, arguments in received(receiver)[0] if "Blend/Val" in address)
            found.append(values["JawOpen"])
    assert found == pytest.approx([0.1, 0.3, 0.4])


def test_a_file_is_sent_at_the_rate_of_the_video(receiver, monkeypatch):
    now, slept = [100.0], []
    monkeypatch.setattr(vmc.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(vmc.time, "sleep", slept.append)
    with sender(receiver, is_live=False) as sending:
        for index, passed in enumerate([0.0, 0.01, 0.1]):
            now[0] += passed
            sending.write(record(index))
    assert slept == pytest.approx([0.0, 0.03, 0.0], abs=1e-9)


def test_no_listening_program_is_no_error():
    pytest.importorskip("pythonosc")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sending = VMCSender("127.0.0.1", port)
    for index in range(3):
        sending.write(record(index))
        time.sleep(0.01)
    sending.stop()


def test_an_unknown_host_and_a_missing_package_are_errors(monkeypatch):
    pytest.importorskip("pythonosc")
    with pytest.raises(ConfigError, match="is not a host and a port"):
        VMCSender("no.such.host.invalid", 39540)
    with pytest.raises(ValueError, match="names must be one of arkit, vrm0, vrm1"):
        VMCSender("127.0.0.1", 39540, names="other")
    monkeypatch.setitem(__import__("sys").modules, "pythonosc.osc_bundle_builder", None)
    with pytest.raises(ConfigError, match=r"pip install 'rdrface\[avatars\]'"):
        VMCSender("127.0.0.1", 39540)
