"""What a person fills in for a OneRoster server, and the same checked: `Configuration` is what the other modules read."""

from dataclasses import dataclass, field
from typing import Any

from rollbook.connectors.contract import BadSetting, Filled, Option, Secrets, Settings
from rollbook.connectors.oneroster_rest.address import candidates, refused_unless_web
from rollbook.oneroster.collections import SERVED
from rollbook.oneroster.scopes import PREFIXES

SIGN_INS = ("oauth2", "oauth1", "bearer")
CREDENTIAL_PLACES = ("basic", "post", "query")
SIGNATURES = ("HMAC-SHA256", "HMAC-SHA1")
YES = ("yes", "true", "1", "on")
NO = ("no", "false", "0", "off", "")
LARGEST_PAGE = 10_000
LONGEST_NUMBER = 20
ONLY, SINCE, FOCUS = "only", "since", "focus"
"""Settings by which a sync asks for less: mapped members only; what changed since a moment; what belongs to some people and classes."""

ACCEPTED = "accepted"
GIVES_WAY = "gives_way"
"""Whether a pull ends where the server asks for time, and whoever wanted it waits with all others; else it is one that was not whole."""
"""The setting by which whoever fetches hands in {collection: records stored}: what a pull is held against."""

OPTIONS = (
    Option(
        "url", "Address",
        "The server's address: a host, or with the path in front of /ims/oneroster, or the whole.",
        required=True,
    ),
    Option("version", "OneRoster version", "1.1 or 1.2; empty: as the address says, else the newer there is.", choices=("", "1.1", "1.2")),
    Option(
        "sign_in", "Sign in by",
        "oauth2 (client credentials), oauth1 (signed requests, 1.1) or bearer (a token that stays).",
        default="oauth2", choices=SIGN_INS,
    ),
    Option("client_id", "Client id", "The client id, or the consumer key of OAuth 1."),
    Option("client_secret", "Client secret", "The client secret, or the consumer secret of OAuth 1.", secret=True),
    Option("token", "Bearer token", "The token, where one signs in by bearer.", secret=True),
    Option("token_url", "Token address", "Where OAuth 2 gives tokens. “Test connection” looks for it when empty."),
    Option(
        "credentials", "Client id and secret go",
        "basic (in the header), post (in the form) or query (in the address of the token request).",
        default="basic", choices=CREDENTIAL_PLACES,
    ),
    Option("signature", "Signature of OAuth 1", "HMAC-SHA256 or HMAC-SHA1.", default=SIGNATURES[0], choices=SIGNATURES),
    Option(
        "scopes", "Scopes",
        "What to ask for, one a line; empty: the standard's, then fewer where these are refused.",
        lines=True,
    ),
    Option("demographics", "Demographics", "yes: read demographics where they are offered.", default="no", choices=("no", "yes")),
    Option(
        "resources", "Resources",
        "yes: read resources where they are offered, and who has them. A server that shares none is none the worse.",
        default="yes", choices=("yes", "no"),
    ),
    Option("page_size", "Records a page", "How many to ask for at once, 1 to 10000.", default="2000"),
    Option("insecure", "Unencrypted", "yes: allow an address that begins with http://.", default="no", choices=("no", "yes")),
)  # fmt: skip


@dataclass(frozen=True)
class Configuration:
    """A connection's settings and secrets, checked. `accepted` is how many records of a collection are stored of it.

    `first_wait`, `longest_wait` and `time_out` are seconds; `attempts` is how often one question is asked before it is given up;
    the other bounds are those of one pull.
    """

    url: str
    version: str
    sign_in: str
    client_id: str = ""
    client_secret: str = ""
    token: str = ""
    token_url: str = ""
    credentials: str = "basic"
    signature: str = "HMAC-SHA256"
    scopes: tuple[str, ...] = ()
    demographics: bool = False
    resources: bool = True
    page_size: int = 2000
    insecure: bool = False
    accepted: dict[str, int] = field(default_factory=dict)
    only: bool = False
    since: str = ""
    focus: dict[str, list[str]] = field(default_factory=dict)
    first_wait: float = 1.0
    longest_wait: float = 120.0
    time_out: float = 120.0
    attempts: int = 7
    gives_way: bool = False
    most_requests: int = 500_000
    most_pages: int = 250_000

    @property
    def collections(self) -> tuple[str, ...]:
        """What is read, those others refer to first, and last what a server need not share."""
        wanted = {"demographics": self.demographics, "resources": self.resources and not self.only}
        return tuple(name for name in SERVED if wanted.get(name, True))

    def full_scopes(self, version: str) -> list[list[str]]:
        """What to ask a token for: all that is wanted, then one scope less each time, to the core alone, then nothing; or the list given,
        then nothing.
        """
        if self.scopes:
            return [list(self.scopes), []]
        names = ["roster-core.readonly", "roster.readonly"]
        names += ["roster-demographics.readonly"] if self.demographics else []
        full = [PREFIXES[version] + name for name in names]
        return [full[:number] for number in range(len(full), -1, -1)]

    def more_scopes(self, version: str) -> list[str]:
        """What opens resources. It is asked for apart, when they are refused: some servers give no token at all for a scope they do not know."""
        return (
            []
            if self.scopes or not self.resources or self.only
            else [PREFIXES[version] + "resource.readonly"]
        )


def checked(settings: Settings, secrets: Secrets) -> Filled:
    """What is kept of what was filled in. Raises BadSetting."""
    found = configured(settings, secrets)
    known = {option.name for option in OPTIONS}
    kept = {name: value for name, value in settings.items() if name in known and value not in ("", [])}
    kept |= {"sign_in": found.sign_in}
    return kept, {name: text for name, text in secrets.items() if name in known and text}


def configured(settings: Settings, secrets: Secrets) -> Configuration:
    """The same as the other modules read it. Raises BadSetting."""
    found = Configuration(
        url=_text(settings, "url"),
        version=_one_of(settings, "version", ("", "1.1", "1.2"), ""),
        sign_in=_one_of(settings, "sign_in", SIGN_INS, "oauth2"),
        client_id=_text(settings, "client_id"),
        client_secret=secrets.get("client_secret", ""),
        token=secrets.get("token", "").strip(),
        token_url=_text(settings, "token_url"),
        credentials=_one_of(settings, "credentials", CREDENTIAL_PLACES, "basic"),
        signature=_one_of(settings, "signature", SIGNATURES, SIGNATURES[0]),
        scopes=_lines(settings.get("scopes")),
        demographics=_flag(settings, "demographics"),
        resources=_flag({"resources": "yes"} | settings, "resources"),
        page_size=_number(settings, "page_size", 2000, LARGEST_PAGE),
        insecure=_flag(settings, "insecure"),
        accepted=dict(settings.get(ACCEPTED) or {}),
        only=bool(settings.get(ONLY)),
        since=str(settings.get(SINCE) or ""),
        focus=dict(settings.get(FOCUS) or {}),
        gives_way=bool(settings.get(GIVES_WAY)),
        first_wait=float(settings.get("first_wait", 1.0)),
        longest_wait=float(settings.get("longest_wait", 120.0)),
        time_out=float(settings.get("time_out", 120.0)),
        most_requests=int(settings.get("most_requests", 500_000)),
    )
    _demand_what_signs_in(found)
    candidates(found.url, found.version, found.insecure)
    if found.token_url:
        refused_unless_web(found.token_url.split("?")[0], found.insecure)
    return found


def _demand_what_signs_in(found: Configuration) -> None:
    if not found.url:
        raise BadSetting("The address is missing.")
    if found.sign_in == "bearer" and not found.token:
        raise BadSetting("Signing in by bearer needs a token.")
    if found.sign_in != "bearer" and not (found.client_id and found.client_secret):
        raise BadSetting(f"Signing in by {found.sign_in} needs a client id and a client secret.")
    if found.sign_in == "oauth1" and found.version == "1.2":
        raise BadSetting("OneRoster 1.2 knows no OAuth 1: choose oauth2, or version 1.1.")


def _text(settings: Settings, name: str) -> str:
    return str(settings.get(name) or "").strip()


def _one_of(settings: Settings, name: str, words: tuple[str, ...], default: str) -> str:
    given = _text(settings, name) or default
    word = next((word for word in words if word.casefold() == given.casefold()), None)
    if word is None:
        raise BadSetting(f"“{name}” is one of {', '.join(filter(None, words))}.")
    return word


def _flag(settings: Settings, name: str) -> bool:
    given = str(settings.get(name, "")).strip().casefold()
    if given not in (*YES, *NO):
        raise BadSetting(f"“{name}” is yes or no.")
    return given in YES


def _number(settings: Settings, name: str, default: int, most: int) -> int:
    given: Any = settings.get(name) or default
    if not str(given).isdecimal() or len(str(given)) > LONGEST_NUMBER or not 1 <= int(given) <= most:
        raise BadSetting(f"“{name}” is a number from 1 to {most:,}.".replace(",", ""))
    return int(given)


def _lines(given: Any) -> tuple[str, ...]:
    text = " ".join(given) if isinstance(given, list) else str(given or "")
    return tuple(text.split())
