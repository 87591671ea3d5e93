"""Requests to one server: bounded in size, number and time, repeated where the trouble may pass. Knows no OneRoster and signs nothing."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from urllib.parse import urlsplit

import httpx2

from rollbook.connectors.contract import AskedToWait, CannotFetch
from rollbook.connectors.oneroster_rest.address import refuse_forbidden_host
from rollbook.connectors.oneroster_rest.configuration import Configuration

TOO_MANY = 429
PASSING = frozenset({408, 425, TOO_MANY, 500, 502, 503, 504, 520, 521, 522, 523, 524})
"""Answers that may be another in a moment. All but 429 may also mean that too much was asked for at once."""

LARGEST_ANSWER = 64 << 20
LONGEST_ANSWER_SECONDS = 600.0
CONNECT_SECONDS = 20.0
AGENT = "Rollbook"

for _name in ("httpx2", "httpcore2"):
    # They log whole addresses and headers, in which some servers want to have their secrets.
    logging.getLogger(_name).setLevel(logging.WARNING)


class GaveUp(CannotFetch):
    """The server kept failing."""


class TooMuch(CannotFetch):
    """A pull has bounds, and this one reached them."""


@dataclass(frozen=True)
class Answer:
    """What came back. `trouble` says in words why there is no whole answer, and then `status` is 0."""

    url: str
    status: int = 0
    headers: httpx2.Headers | None = None
    body: bytes = b""
    trouble: str = ""

    def header(self, name: str) -> str:
        return self.headers.get(name, "") if self.headers is not None else ""

    @property
    def passing(self) -> bool:
        return bool(self.trouble) or self.status in PASSING

    @property
    def overloaded(self) -> bool:
        """Whether asking for less may help."""
        return self.passing and self.status != TOO_MANY

    @property
    def words(self) -> str:
        """What happened, without anything of the body: it may hold what is nobody's business."""
        return self.trouble or f"it answered {self.status}"


class Wire:
    """A connection to the server, with its cookies, and a count of what was asked."""

    def __init__(self, configuration: Configuration, sleep: Callable[[float], None] = time.sleep) -> None:
        self.requests = 0
        self.waited = 0
        self._configuration = configuration
        self._sleep = sleep
        self._hosts: set[str] = set()
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(configuration.time_out, connect=CONNECT_SECONDS),
            follow_redirects=False,
            headers={"Accept": "application/json", "User-Agent": AGENT},
        )

    def __enter__(self) -> "Wire":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def patiently(self, ask: Callable[[], Answer], less: Callable[[], bool] = lambda: False) -> Answer:
        """The first answer that is not a passing trouble; between two the server gets time, and `less` is called where it may be
        overloaded: it says whether less is asked for from now on, which is another question, and tried as often. Raises GaveUp, and
        AskedToWait where a server that asks for time is given way to.
        """
        answer, times, attempt = ask(), 1, 1
        while answer.passing and attempt < self._configuration.attempts:
            self._give_way(answer, is_last=False)
            is_less = answer.overloaded and less()
            self._wait(attempt - 1, answer.header("Retry-After"))
            # Who does not answer at all does not say that it was too much.
            attempt += not (is_less and answer.status)
            answer, times = ask(), times + 1
        self._give_way(answer, is_last=True)
        if answer.passing:
            raise GaveUp(f"{_place(answer.url)} was asked {times} times; the last time {answer.words}.")
        return answer

    def _give_way(self, answer: Answer, is_last: bool) -> None:
        """Raises AskedToWait where the server wants more time than a pull waits, or has asked for it often enough."""
        if answer.status != TOO_MANY or not self._configuration.gives_way:
            return
        seconds = retry_after(answer.header("Retry-After"), datetime.now(UTC))
        if is_last or (seconds or 0) > self._configuration.longest_wait:
            raise AskedToWait(
                f"{_place(answer.url)} asks to be left alone (429).", urlsplit(answer.url).netloc, seconds
            )

    def send(
        self, method: str, url: str, headers: dict[str, str], form: dict[str, str] | None = None
    ) -> Answer:
        """One request, one answer, or the trouble there was. Raises TooMuch, BadSetting."""
        self._count(url)
        try:
            with self._client.stream(method, url, headers=headers, data=form) as response:
                return Answer(url, response.status_code, response.headers, _bounded(response))
        except (httpx2.TimeoutException, TimeoutError):
            return Answer(url, trouble="it did not answer in time")
        except httpx2.ConnectError as fault:
            return Answer(url, trouble=f"no connection could be made ({_cause(fault)})")
        except (httpx2.TransportError, httpx2.DecodingError):
            return Answer(url, trouble="the connection was cut, or what came was no HTTP")

    def _count(self, url: str) -> None:
        self.requests += 1
        if self.requests > self._configuration.most_requests:
            raise TooMuch(f"More than {self._configuration.most_requests:,} requests: the pull was ended.")
        host = urlsplit(url).netloc
        if host not in self._hosts:
            refuse_forbidden_host(url)
            self._hosts.add(host)

    def _wait(self, attempt: int, asked: str) -> None:
        """As long as the server asks, or twice as long each time, with some chance in it; never longer than the longest wait."""
        self.waited += 1
        wanted = retry_after(asked, datetime.now(UTC))
        if wanted is None:
            wanted = self._configuration.first_wait * 2**attempt * random.uniform(0.75, 1.25)  # noqa: S311 - spreads clients, guards nothing
        self._sleep(min(wanted, self._configuration.longest_wait))


def retry_after(text: str, now: datetime) -> float | None:
    """The seconds a Retry-After header asks for: a number, or a date of HTTP; None where it says nothing (RFC 9110 §10.2.3)."""
    text = text.strip()
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)


def _bounded(response: httpx2.Response) -> bytes:
    body, until = bytearray(), time.monotonic() + LONGEST_ANSWER_SECONDS
    for piece in response.iter_bytes():
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise TooMuch(
                f"One answer is larger than {LARGEST_ANSWER >> 20} MB: ask for fewer records a page."
            )
        if time.monotonic() > until:
            raise TimeoutError
    return bytes(body)


def _cause(fault: Exception) -> str:
    """Why no connection could be made, in few words."""
    text = str(fault).casefold()
    if "certificate" in text or "ssl" in text:
        return "its certificate is not valid, or it speaks no TLS"
    if "name" in text or "resolve" in text or "address" in text or "nodename" in text:
        return "its name is not known"
    return "nothing answers there"


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"
