"""What every connector gives: a kind, the options a person fills in, and how a connection is checked, tested and fetched from.

Settings are shown and kept as JSON; secrets are text by option name, encrypted at rest by whoever keeps them, and never shown again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rollbook.refusal import Languages, Refusal

Settings = dict[str, Any]
Secrets = dict[str, str]
Progress = Callable[[str], None]


class ConnectorRefusal(Refusal):
    """The other system cannot be used."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    @property
    def words(self) -> str:
        return Languages.say(self._words)


class BadSetting(ConnectorRefusal):
    """A setting of this connection cannot be used."""


class CannotFetch(ConnectorRefusal):
    """The other system could not be read."""


class AskedToWait(ConnectorRefusal):
    """The other system asks to be left alone for a while. `seconds` is how long, None where it does not say."""

    def __init__(self, words: str, host: str, seconds: float | None) -> None:
        super().__init__(words)
        self.host, self.seconds = host, seconds


@dataclass(frozen=True)
class Option:
    """One thing a person fills in, always as text: `lines` marks one value a line, `secret` what is never shown again.

    Where there are `choices`, a form offers these words and no others.
    """

    name: str
    title: str
    meaning: str
    default: str = ""
    required: bool = False
    secret: bool = False
    lines: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fetched:
    """A delivery in the work folder: a zip or a folder of CSV files. `certificate` says what was proved of its completeness."""

    path: Path
    certificate: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()


Filled = tuple[Settings, Secrets]
Check = Callable[[Settings, Secrets], Filled]
Fetch = Callable[[Settings, Secrets, Path, datetime, Progress], Fetched]
Test = Callable[[Settings, Secrets], list[str]]


@dataclass(frozen=True)
class Connector:
    """A kind of connection.

    `checked` takes what was filled in (text by option name, secrets apart; an option left out has its default) and gives what is to be
    kept, or raises BadSetting. `fetch` is None where deliveries come by themselves. `tested` gives what it found in words, one line each,
    or raises CannotFetch.
    """

    kind: str
    title: str
    options: tuple[Option, ...]
    checked: Check
    fetch: Fetch | None
    tested: Test
