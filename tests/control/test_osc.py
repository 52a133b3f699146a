"""OSC over real UDP: every type, bundles, bad packets, floods, and a port in use."""

from __future__ import annotations

import contextlib
import logging
import queue
import random
import socket
import struct
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from tests.fixtures.pulse import wait_until
from visualizer.control.osc import MOST_AT_ONCE, PRIVATE, TURN_S, OscInput, is_among, parse_place, parse_senders
from visualizer.control.oscbytes import BadPacket, messages, read_message
from visualizer.errors import BadInput, VisualizerError


class Listening:
    """An OSC input that keeps what it reads, and a socket to send from."""

    def __init__(self):
        self.heard = []
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self.input = OscInput(("127.0.0.1", 0), self._hear, now=time.monotonic)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def _hear(self, *told) -> None:
        self.heard.append(told)
        self._may_go_on.wait(60.0)

    @contextlib.contextmanager
    def held(self):
        """Its thread busy with one message."""
        self._may_go_on.clear()
        try:
            self.send(message("/busy"))
            wait_until(lambda: ("/busy", []) in self.heard)
            yield
        finally:
            self._may_go_on.set()

    def send(self, packet: bytes) -> None:
        self._socket.sendto(packet, ("127.0.0.1", self.input.port))

    def close(self):
        self._socket.close()
        self.input.close()


@pytest.fixture
def osc():
    one = Listening()
    yield one
    one.close()


def built(address: str, *told) -> OscMessageBuilder:
    builder = OscMessageBuilder(address=address)
    for value in told:
        builder.add_arg(*value) if isinstance(value, tuple) else builder.add_arg(value)
    return builder


def message(address: str, *told) -> bytes:
    return built(address, *told).build().dgram


def bundle(*parts) -> bytes:
    builder = OscBundleBuilder(IMMEDIATELY)
    for part in parts:
        builder.add_content(part)
    return builder.build().dgram


def test_every_type_and_bundles_in_bundles(osc):
    osc.send(message("/types", 7, 0.5, "text", True, False, (2**40, "h"), (0.25, "d"), b"blob"))
    inner = OscBundleBuilder(IMMEDIATELY)
    inner.add_content(built("/b", 2.0).build())
    osc.send(bundle(built("/a", 1.0).build(), inner.build(), built("/c").build()))
    osc.send(b"/old\0\0\0\0")  # without a list of types, as old programs send
    wait_until(lambda: len(osc.heard) == 5)
    assert osc.heard[0] == ("/types", [7.0, 0.5, "text", 1.0, 0.0, 2.0**40, 0.25])
    assert osc.heard[1:] == [("/a", [1.0]), ("/b", [2.0]), ("/c", []), ("/old", [])]
    assert (osc.input.n_messages, osc.input.n_bad) == (5, 0)


BAD = {
    "empty": b"",
    "no address": b"hello",
    "cut off": message("/a", 1, 2)[:-3],
    "types cut off": b"/a\0\0,ii",
    "no such type": b"/a\0\0,Q\0\0",
    "not text": b"/\xff\xfe\0,\0\0\0",
    "unclosed": b"/a\0\0,[[[",
    "1000 values": b"/a\0\0," + b"T" * 1000 + b"\0\0\0",
    "as long as can be": b"/" + b"a" * 65_000,
    "bundle cut off": b"#bundle\0\0\0",
    "part of less than no length": b"#bundle\0" + struct.pack(">Qi", 1, -4),
    "part of no length": b"#bundle\0" + struct.pack(">Qi", 1, 0),
    "part too long": b"#bundle\0" + struct.pack(">Qi", 1, 400) + b"/a\0\0",
    "part that is nothing": b"#bundle\0" + struct.pack(">Qi", 1, 4) + b"abcd",
    "nil": b"/a\0\0,N\0\0",
    "nil before a number": b"/a\0\0,Ni\0\0\0\0\1",
    "blob": message("/a", b"blob"),
    "MIDI": message("/a", ((0, 0x90, 36, 1), "m")),
    "colour": b"/a\0\0,r\0\0\xff\0\xff\0",
    "time": b"/a\0\0,t\0\0" + struct.pack(">Q", 1 << 32),
    "array": b"/a\0\0,[i]\0\0\0\0" + struct.pack(">i", 1),
    "a value without its type": b"/a\0\0,\0\0\0" + struct.pack(">i", 1),
    "many bundles in a bundle": b"#bundle\0" + struct.pack(">Q", 1) + struct.pack(">i16sQ", 0, b"", 0) * 2000,
}


def nested(depth: int) -> bytes:
    packet = message("/deep")
    for _ in range(depth):
        packet = b"#bundle\0" + struct.pack(">Qi", 1, len(packet)) + packet
    return packet


@pytest.mark.parametrize("packet", [*BAD.values(), nested(2000)], ids=[*BAD, "bundles 2000 deep"])
def test_a_bad_packet_is_counted_and_the_next_good_one_is_read(osc, packet):
    osc.send(packet)
    osc.send(message("/good"))
    wait_until(lambda: osc.heard)
    assert osc.heard == [("/good", [])]
    assert (osc.input.n_messages, osc.input.n_bad) == (2, 1)


def test_a_truncated_message_is_reported():
    with pytest.raises(BadPacket, match="^a truncated or malformed message$"):
        read_message(BAD["cut off"])


def test_unusable_messages_are_counted_and_the_first_few_are_logged(caplog):
    def refuse(address, told):
        raise ValueError(f"{address}\nis not known")

    one = OscInput(("127.0.0.1", 0), refuse, now=lambda: 0.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out, caplog.at_level(logging.WARNING):
        for _ in range(20):
            out.sendto(message("/x"), ("127.0.0.1", one.port))
        wait_until(lambda: one.n_bad + one.n_dropped == 20)
    one.close()
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 5 and lines[0] == "osc: not used (1 so far): /x\\nis not known"


def test_random_bytes_over_the_wire_are_never_fatal(osc):
    rng = random.Random(6)
    seeds = [message("/visualizer/set/beat/decay", 0.5), bundle(built("/a", "x").build()), message("/x", b"blob", 1)]
    for count in range(1500):
        packet = bytearray(rng.choice(seeds)) if rng.random() < 0.7 else bytearray(rng.randbytes(rng.randrange(64)))
        for _ in range(rng.randrange(1, 6)):
            if packet:
                packet[rng.randrange(len(packet))] = rng.randrange(256)
        osc.send(bytes(packet))
        if count % 30 == 29:  # not faster than it reads: each is to be looked at
            osc.send(message("/mark", count))
            wait_until(lambda count=count: ("/mark", [float(count)]) in osc.heard)
    assert osc.input.n_dropped == 0 and osc.input.n_bad > 300


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_any_bytes_are_messages_or_bad(packet):
    for start in (b"", b"/", b"#bundle\0\0\0\0\0\0\0\0\1"):
        try:
            for part in messages(start + packet):
                address, told = read_message(part)
                assert isinstance(address, str) and all(isinstance(value, float | str) for value in told)
        except BadPacket as fault:
            assert "\n" not in str(fault)


def hears(osc: Listening) -> bool:
    """Whether it reads a message, perhaps a second one: the system drops packets, too, when many come."""

    def heard() -> bool:
        osc.send(message("/after"))
        return ("/after", []) in osc.heard

    return wait_until(heard)


def test_of_a_flood_a_part_is_read_and_the_newest(osc):
    n_sent, part = 10_000, message("/x", 0.5)
    with osc.held():  # the reader may be as quick as we are: what is to be dropped comes while it is busy
        for _ in range(n_sent):
            osc.send(part)
    assert hears(osc), "though it was flooded"
    assert osc.input.n_bad == 0 and osc.input.n_dropped > 0
    assert osc.input.n_messages + osc.input.n_dropped < 2 * n_sent


def test_a_flood_of_single_packets_is_limited_too():
    """Otherwise a sender that never sends two at once could keep a core busy."""
    n_turns, part = 20, message("/x")
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()
    one = OscInput(("127.0.0.1", 0), lambda address, _: heard.put(address), now=time.monotonic)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        began_s = time.monotonic()
        for _ in range(n_turns * MOST_AT_ONCE):
            out.sendto(part, ("127.0.0.1", one.port))
            heard.get(timeout=60)
        took_s = time.monotonic() - began_s
    one.close()
    assert took_s >= (n_turns - 1) * TURN_S  # the least it may take: a slow machine takes longer
    assert (one.n_messages, one.n_dropped) == (n_turns * MOST_AT_ONCE, 0)


def test_a_flood_of_large_bundles_is_read_in_part(osc):
    large = b"#bundle\0" + struct.pack(">Q", 1) + struct.pack(">i4s", 4, b"/x\0\0") * 250
    with osc.held():
        for _ in range(300):
            osc.send(large)
    wait_until(lambda: osc.input.n_dropped > 0)
    assert hears(osc)
    assert osc.input.n_bad == 0


def test_a_port_in_use_is_reported_in_one_line(osc):
    with pytest.raises(
        VisualizerError, match=f"127.0.0.1:{osc.input.port}: .*in use.*--osc chooses another one"
    ) as told:
        OscInput(("127.0.0.1", osc.input.port), lambda *_: None, now=time.monotonic)
    assert told.value.status == 1 and "\n" not in str(told.value)


def test_a_host_that_is_not_this_machine_is_reported_in_one_line():
    for host in ("192.0.2.77", "no.such.host.invalid", "a" * 70):
        with pytest.raises(VisualizerError, match="cannot listen for OSC"):
            OscInput((host, 0), lambda *_: None, now=time.monotonic)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", ("127.0.0.1", 9000)),
        ("9001", ("127.0.0.1", 9001)),
        (":9001", ("127.0.0.1", 9001)),
        ("0.0.0.0:8000", ("0.0.0.0", 8000)),
        ("[::1]:8000", ("::1", 8000)),
    ],
)
def test_places(text, place):
    assert parse_place(text) == place


@pytest.mark.parametrize("text", ["x", "1.2.3.4", "99999", "-1", "a b:9000", "9000:", "٣", "1e3"])
def test_invalid_places(text):
    with pytest.raises(BadInput, match="HOST:PORT"):
        parse_place(text)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has all of 127.0.0.0/8")
def test_only_allowed_senders_are_read(caplog):
    heard: queue.Queue = queue.Queue()
    one = OscInput(
        ("0.0.0.0", 0), lambda address, _: heard.put(address), allowed=parse_senders("127.0.0.2"), now=time.monotonic
    )
    try:
        with caplog.at_level(logging.WARNING):
            for sender in ("127.0.0.1", "127.0.0.3", "127.0.0.2"):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                    out.bind((sender, 0))
                    for _ in range(3):
                        out.sendto(message(f"/{sender}"), ("127.0.0.1", one.port))
            assert [heard.get(timeout=60) for _ in range(3)] == ["/127.0.0.2"] * 3
        assert (one.n_messages, one.n_bad, one.n_refused) == (3, 0, 6)
        lines = [record.getMessage() for record in caplog.records]
        assert [line.partition(":")[0] for line in lines] == ["osc"] * 2 and "127.0.0.3" in lines[1], "each sender once"
    finally:
        one.close()


@pytest.mark.parametrize(
    ("senders", "allowed", "refused"),
    [
        (
            None,
            ["192.168.1.7", "10.0.0.1", "172.16.9.9", "127.0.0.1", "fe80::1%eth0", "::ffff:10.1.2.3"],
            ["8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8"],
        ),
        (
            "192.168.1.0/24, 203.0.113.5,2001:db8::/32",
            ["192.168.1.7", "203.0.113.5", "2001:db8::1"],
            ["192.168.2.7", "203.0.113.6", "127.0.0.1"],
        ),
        ("192.168.1.7/24", ["192.168.1.9"], ["192.168.2.9"]),
    ],
)
def test_senders(senders, allowed, refused):
    networks = PRIVATE if senders is None else parse_senders(senders)
    assert [is_among(one, networks) for one in allowed + refused] == [True] * len(allowed) + [False] * len(refused)


@pytest.mark.parametrize("text", ["", ",", "club", "192.168.1.0/33", "192.168.1", "1.2.3.4:9000", "10.0.0.1,,10.0.0.2"])
def test_invalid_senders(text):
    with pytest.raises(BadInput, match="no list of addresses or networks.*192.168.1.0/24"):
        parse_senders(text)
