"""A load of HTTP requests to this machine over a few kept connections, in one thread, and how long each answer took.

Written for little work of its own: it reads a status, a length and then bytes it does not look at.
"""

import selectors
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

HOST = "127.0.0.1"
BLOCK = 1 << 20
PATIENCE = 60
"""Seconds without any byte after which the load is given up."""


class Refused(AssertionError):
    """An answer that is no success, or none at all: a bench of errors measures nothing."""


@dataclass
class Tally:
    """What came back: seconds of each answer, bytes in all, and the seconds the load lasted."""

    latencies: list[float] = field(default_factory=list)
    size: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.latencies + other.latencies, self.size + other.size, self.seconds + other.seconds)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def median(self) -> float:
        return statistics.median(self.latencies)

    @property
    def slowest_hundredth(self) -> float:
        """What one answer in a hundred takes longer than, in seconds."""
        return statistics.quantiles(self.latencies, n=100)[-1]


def request(path: str, token: str = "", gzip: bool = False) -> bytes:
    """A GET on a kept connection. `path` is sent as it is."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {HOST}",
        "Accept-Encoding: gzip" if gzip else "Accept-Encoding: identity",
    ]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


class _Connection:
    """One socket and the answer being read from it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = b""
        self._left = -1
        self.began = 0.0

    def send(self, message: bytes) -> None:
        self._head, self._left = b"", -1
        self.began = time.perf_counter()
        self.socket.sendall(message)

    def receive(self, block: memoryview) -> int:
        """Reads once; the size of the body when the answer is whole, else -1."""
        got = self.socket.recv_into(block)
        if not got:
            raise Refused("The server closed the connection.")
        if self._left >= 0:
            self._left -= got
        else:
            self._head += block[:got]
            self._begin_body()
        return self._size if self._left == 0 else -1

    def _begin_body(self) -> None:
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if not end:
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            raise Refused((head + b"\n" + rest)[:2000].decode("latin-1"))
        self._size = next(
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        self._left = self._size - len(rest)


def drive(port: int, messages: Iterator[bytes], connections: int, seconds: float) -> Tally:
    """Sends `messages` for so long, one after another on each of the connections. Raises Refused."""
    tally, block = Tally(), memoryview(bytearray(BLOCK))
    waiting = selectors.DefaultSelector()
    opened = [_Connection(port) for _ in range(connections)]
    began = time.perf_counter()
    for one in opened:
        waiting.register(one.socket, selectors.EVENT_READ, one)
        one.send(next(messages))
    open_answers = connections
    while open_answers:
        ready = waiting.select(timeout=PATIENCE)
        if not ready:
            raise Refused(f"No answer for {PATIENCE} s.")
        for key, _ in ready:
            size = key.data.receive(block)
            if size < 0:
                continue
            now = time.perf_counter()
            tally.latencies.append(now - key.data.began)
            tally.size += size
            if now - began < seconds:
                key.data.send(next(messages))
            else:
                open_answers -= 1
    tally.seconds = time.perf_counter() - began
    for one in opened:
        one.socket.close()
    return tally


def pace(
    port: int, messages: Iterator[bytes], connections: int, per_second: float, goes_on: Callable[[], bool]
) -> Tally:
    """Sends `messages` at a fixed rate, whatever comes back, while `goes_on` says so. Raises Refused.

    An answer's time counts from the moment its request was due, also where no connection was free to send it then.
    """
    tally, block = Tally(), memoryview(bytearray(BLOCK))
    waiting = selectors.DefaultSelector()
    free = [_Connection(port) for _ in range(connections)]
    opened = list(free)
    for one in opened:
        waiting.register(one.socket, selectors.EVENT_READ, one)
    began = time.perf_counter()
    sent = 0
    while (is_on := goes_on()) or len(free) < connections:
        due = began + sent / per_second
        if is_on and free and time.perf_counter() >= due:
            # The one that has rested longest: a server closes those that rest too long.
            one = free.pop(0)
            one.send(next(messages))
            one.began = due
            sent += 1
            continue
        for key, _ in waiting.select(
            timeout=max(0.0, min(due - time.perf_counter(), 0.05)) if free else 0.05
        ):
            size = key.data.receive(block)
            if size >= 0:
                tally.latencies.append(time.perf_counter() - key.data.began)
                tally.size += size
                free.append(key.data)
    tally.seconds = time.perf_counter() - began
    for one in opened:
        one.socket.close()
    return tally


def walk(port: int, messages: Iterator[bytes]) -> Tally:
    """Sends every one of `messages` over one connection. Raises Refused."""
    tally, block = Tally(), memoryview(bytearray(BLOCK))
    connection = _Connection(port)
    began = time.perf_counter()
    for message in messages:
        connection.send(message)
        while (size := connection.receive(block)) < 0:
            pass
        tally.latencies.append(time.perf_counter() - connection.began)
        tally.size += size
    tally.seconds = time.perf_counter() - began
    connection.socket.close()
    return tally


def alternate(port: int, one: bytes, other: bytes, times: int) -> tuple[Tally, Tally]:
    """Two requests in turn over one connection, so that whatever else the machine does burdens both alike. Raises Refused."""
    tallies = Tally(), Tally()
    block = memoryview(bytearray(BLOCK))
    connection = _Connection(port)
    for _ in range(times):
        for tally, message in zip(tallies, (one, other), strict=True):
            connection.send(message)
            while connection.receive(block) < 0:
                pass
            tally.latencies.append(time.perf_counter() - connection.began)
    connection.socket.close()
    return tallies
