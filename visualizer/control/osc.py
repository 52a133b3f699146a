"""The UDP socket for OSC: read in a thread of its own with bounded work; everything is counted."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from ..errors import BadInput, VisualizerError
from ..oneline import reason_of
from .oscbytes import BadPacket, OscValue, messages, read_message

log = logging.getLogger(__name__)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 9000
MISSING = "OSC needs python-osc: pip install 'kickdream[osc]'"
# At most so many packets are read in a turn of TURN_S, the newest ones, and then the thread waits for as long: at
# most 3200 packets a second, a few % of a core.
MOST_AT_ONCE, TURN_S = 32, 0.01
# Messages in a turn after which further packets are dropped: a packet may be a large bundle.
MOST_IN_TURN = 2 * MOST_AT_ONCE
# Messages that are read of one packet.
MOST_IN_PACKET = 256
# Packets fetched from the system at once, so that fetching ends.
MOST_FETCHED = 5000
#: the networks that may send by default: this machine and private networks
PRIVATE = tuple(
    ipaddress.ip_network(one)
    for one in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
LOOPBACK = (PRIVATE[0], PRIVATE[5])
# So many senders are remembered; further ones that are refused are not logged.
MOST_SENDERS = 100
# The longest UDP packet; the size of the system's receive buffer, bytes.
MOST_BYTES, WAITING_BYTES = 65_536, 1 << 20
LOOK_S = 0.5
# Of bad messages the first few are logged, then one every few seconds.
FIRST_LOGGED, LOG_EVERY_S = 5, 10.0


def parse_place(text: str) -> tuple[str, int]:
    """ "[HOST:]PORT" -> (host, port); "" is 127.0.0.1:9000. Raises BadInput."""
    host, _, port = text.strip().rpartition(":")
    host = host.strip("[]") or DEFAULT_HOST
    if not text.strip():
        return DEFAULT_HOST, DEFAULT_PORT
    if (
        not (port.isascii() and port.isdigit())
        or not 0 <= int(port[:6]) <= 65_535
        or not host.isprintable()
        or " " in host
    ):
        raise BadInput(f"{text[:60]!r} is no address for OSC; write PORT or HOST:PORT, like 9000 or 0.0.0.0:9000")
    return host, int(port)


def parse_senders(text: str) -> tuple[Network, ...]:
    """ "192.168.1.0/24,10.0.0.5" -> the networks. Raises BadInput."""
    try:
        return tuple(ipaddress.ip_network(one.strip(), strict=False) for one in text.split(","))
    except ValueError as fault:
        raise BadInput(
            f"{text[:60]!r} is no list of addresses or networks; write them like 192.168.1.0/24,10.0.0.5"
        ) from fault


def is_among(host: str, networks: Iterable[Network]) -> bool:
    """Whether an address, as a socket reports it, is in one of the networks."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


class OscInput:
    """Listens for OSC in a thread of its own, which `close` ends.

    on_message: called in that thread with an address and its values; raises ValueError for a message that cannot be
    used. on_look: called there about twice a second. allowed: networks whose packets are read. n_messages: messages
    received; n_bad: packets and messages that could not be used; n_dropped: packets that were not read because too
    many came; n_refused: packets of other networks.
    """

    def __init__(
        self,
        place: tuple[str, int],
        on_message: Callable[[str, list[OscValue]], None],
        *,
        allowed: Sequence[Network] = PRIVATE,
        now: Callable[[], float],
        on_look: Callable[[], None] | None = None,
    ) -> None:
        """place: host and port, 0 for any free port. Raises VisualizerError if python-osc is missing or the port is
        taken.
        """
        try:
            import pythonosc.osc_message  # noqa: F401
        except ImportError as fault:
            raise VisualizerError(f"{MISSING} ({fault})") from fault
        self._on_message, self._now, self._on_look = on_message, now, on_look
        self.n_messages = self.n_bad = self.n_dropped = self.n_refused = 0
        self._allowed = tuple(allowed)
        self._senders: dict[str, bool] = {}  # whether each may send
        self._logged_s = -LOG_EVERY_S
        self._socket = _bound(place)
        self.host, self.port = self._socket.getsockname()[:2]
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="osc", daemon=True)
        self._thread.start()

    @property
    def place(self) -> str:
        """The address it listens at, for people: "127.0.0.1:9000"."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def close(self) -> None:
        """Stop listening; waits at most 2 s."""
        self._ending.set()
        with contextlib.suppress(OSError):  # an empty packet, so that it need not wait for the next one
            self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(2.0)
        self._socket.close()

    def _listen(self) -> None:
        looked_s = turn_s = self._now()
        n_read, before = 0, self.n_messages  # packets in this turn, messages until it began
        while not self._ending.is_set():
            packets = self._fetch()
            if self._ending.is_set():
                return
            if self._now() - turn_s >= TURN_S:
                turn_s, n_read, before = self._now(), 0, self.n_messages
            for packet in packets:
                if self.n_messages - before > MOST_IN_TURN:
                    self.n_dropped += 1
                else:
                    self._read(packet)
            n_read += len(packets)
            if self._on_look is not None and self._now() - looked_s >= LOOK_S:
                looked_s = self._now()
                try:
                    self._on_look()
                except VisualizerError as error:
                    log.warning("%s", error)
            if n_read >= MOST_AT_ONCE or self.n_messages - before > MOST_IN_TURN:
                self._ending.wait(TURN_S)  # the turn is over then

    def _fetch(self) -> deque[bytes]:
        """Wait for a packet, at most LOOK_S; returns the newest MOST_AT_ONCE of those that have come."""
        packets: deque[bytes] = deque(maxlen=MOST_AT_ONCE)
        try:
            self._socket.settimeout(LOOK_S / 2)
            for _ in range(1 + MOST_FETCHED):
                packet, sender = self._socket.recvfrom(MOST_BYTES)
                self._socket.setblocking(False)
                if not self._may_send(sender[0]):
                    self.n_refused += 1
                    continue
                self.n_dropped += len(packets) == MOST_AT_ONCE
                packets.append(packet)
        except (BlockingIOError, TimeoutError):
            pass
        except OSError as fault:  # Windows reports here that an earlier packet of this socket could not be delivered
            log.debug("osc: %s", fault)
            self._ending.wait(TURN_S)
        return packets

    def _may_send(self, host: str) -> bool:
        if host in self._senders:
            return self._senders[host]
        may = is_among(host, self._allowed)
        if len(self._senders) < MOST_SENDERS:
            self._senders[host] = may
            if not may:
                log.warning("osc: messages from %s are refused; --osc-allow lists who may send", host)
        return may

    def _read(self, packet: bytes) -> None:
        try:
            for count, message in enumerate(messages(packet)):
                if count >= MOST_IN_PACKET:
                    raise BadPacket(f"more than {MOST_IN_PACKET} messages in a packet")
                self._handle(message)
        except BadPacket as fault:
            self.n_messages += 1
            self._count_bad(fault)

    def _handle(self, message: bytes) -> None:
        self.n_messages += 1
        try:
            self._on_message(*read_message(message))
        except Exception as fault:  # noqa: BLE001  whatever came from the network, the socket keeps listening
            self._count_bad(fault)

    def _count_bad(self, fault: Exception) -> None:
        self.n_bad += 1
        if self.n_bad <= FIRST_LOGGED or self._now() - self._logged_s >= LOG_EVERY_S:
            self._logged_s = self._now()
            is_internal = not isinstance(fault, ValueError)
            log.warning("osc: not used (%d so far): %s", self.n_bad, ascii(str(fault))[1:-1], exc_info=is_internal)


def _bound(place: tuple[str, int]) -> socket.socket:
    """A socket bound to a host and port. Raises VisualizerError."""
    host, port = place
    made: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WAITING_BYTES)
        made.bind(address)
    except (OSError, UnicodeError) as fault:
        if made is not None:
            made.close()
        raise VisualizerError(
            f"cannot listen for OSC at {host}:{port}: {reason_of(fault)}; does another program use the port? --osc chooses another one"
        ) from fault
    return made
