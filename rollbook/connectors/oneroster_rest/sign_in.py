"""Signing in: what each request carries so that the server knows who asks, and getting a new token when the last has run out.

Sources: OneRoster 1.1 REST (OAuth 1.0a, two-legged), OneRoster 1.2 REST and RFC 6749 §4.4 (client credentials). Credentials are sent to
the server, or to the token address, and nowhere else.
"""

import json
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, Client

from rollbook.connectors.contract import CannotFetch
from rollbook.connectors.oneroster_rest.address import is_same_place, joined
from rollbook.connectors.oneroster_rest.configuration import Configuration
from rollbook.connectors.oneroster_rest.wire import Answer, Wire

SKEW_SECONDS = 60.0
REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 3
SIGNATURES = {"HMAC-SHA256": SIGNATURE_HMAC_SHA256, "HMAC-SHA1": SIGNATURE_HMAC_SHA1}


class SignInRefused(CannotFetch):
    """The server does not know these credentials, or does not accept them."""


class SignIn(Protocol):
    """How requests are signed. `renew` gets a new token where there is one to get, `widen` one that opens resources too; both say
    whether they did.
    """

    notes: list[str]

    def headers(self, url: str) -> dict[str, str]: ...

    def renew(self) -> bool: ...

    def widen(self) -> bool: ...


def sign_in_of(configuration: Configuration, version: str, wire: Wire) -> SignIn:
    """The way of signing in that was chosen."""
    if configuration.sign_in == "bearer":
        return Bearer(configuration.token)
    if configuration.sign_in == "oauth1":
        return Signed(configuration)
    return ByToken(configuration, version, wire)


class Bearer:
    """A token that stays."""

    def __init__(self, token: str) -> None:
        self.notes: list[str] = []
        self._token = token

    def headers(self, url: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        return False

    def widen(self) -> bool:
        return False


class Signed:
    """OAuth 1.0a: every request is signed anew, its query with it."""

    def __init__(self, configuration: Configuration) -> None:
        self.notes: list[str] = []
        self._client = Client(
            configuration.client_id,
            client_secret=configuration.client_secret,
            signature_method=SIGNATURES[configuration.signature],
        )

    def headers(self, url: str) -> dict[str, str]:
        try:
            _, headers, _ = self._client.sign(url)
        except ValueError:
            raise CannotFetch("The server gave an address that cannot be signed.") from None
        return dict(headers)

    def renew(self) -> bool:
        return False

    def widen(self) -> bool:
        return False


class ByToken:
    """OAuth 2 client credentials: a token for all requests until it runs out, by its word or by the server's."""

    def __init__(
        self,
        configuration: Configuration,
        version: str,
        wire: Wire,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.notes: list[str] = []
        self._configuration = configuration
        self._ladder = configuration.full_scopes(version)
        self._more = configuration.more_scopes(version)
        self._wire = wire
        self._clock = clock
        self._token = ""
        self._is_plain = False
        self._until = float("inf")
        if not configuration.token_url:
            raise CannotFetch(
                "The token address is missing: OAuth 2 needs one. “Test connection” looks for it."
            )

    def headers(self, url: str) -> dict[str, str]:
        if not self._token or self._clock() >= self._until:
            self.renew()
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """A new token, with the most scopes the server grants; a rung of the ladder that was refused is not asked for again."""
        while True:
            answer = self._wire.patiently(lambda: self._asked(self._ladder[0]))
            is_unknown = answer.status == 401 or _error_of(answer) == "invalid_client"
            if is_unknown and self._try_plain():
                continue
            if answer.status != 400 or len(self._ladder) == 1 or is_unknown:
                break
            self._ladder.pop(0)
            self.notes.append(f"scopes refused, asked again with {len(self._ladder[0])}")
        self._take(answer)
        return True

    def widen(self) -> bool:
        """A token that opens resources too. Tried once; where it is refused, the token there was stays in use."""
        more, self._more = self._more, []
        if not more or not self._ladder[0]:
            return False
        wider = self._ladder[0] + more
        answer = self._asked(wider)
        if not _gives_a_token(answer):
            self.notes.append("the scope of resources refused")
            return False
        self._ladder.insert(0, wider)
        self._take(answer)
        return True

    def _asked(self, scopes: list[str]) -> Answer:
        """The token request; a redirect is followed to the same place alone."""
        form = {"grant_type": "client_credentials"} | ({"scope": " ".join(scopes)} if scopes else {})
        written = self._configuration.token_url
        url = written if "://" in written else f"https://{written}"
        for _ in range(MOST_REDIRECTS):
            url, headers = self._placed(url, form)
            answer = self._wire.send("POST", url, headers, form)
            if answer.status not in REDIRECTS:
                return answer
            further = joined(url, answer.header("Location"))
            if not is_same_place(further, url):
                raise SignInRefused(
                    "The token address leads on to another host. Credentials are not sent there: write down the"
                    " address it should be."
                )
            url = further
            self.notes.append("the token address redirects")
        raise SignInRefused("The token address leads in a circle.")

    def _placed(self, url: str, form: dict[str, str]) -> tuple[str, dict[str, str]]:
        """The address and the headers of a token request, with the credentials where this server wants them."""
        configuration = self._configuration
        client = {"client_id": configuration.client_id, "client_secret": configuration.client_secret}
        if configuration.credentials == "post":
            form |= client
        elif configuration.credentials == "query":
            parts = urlsplit(url)
            others = [(name, value) for name, value in parse_qsl(parts.query, True) if name not in client]
            return parts._replace(query=urlencode([*others, *client.items()], quote_via=quote)).geturl(), {}
        else:
            both = ":".join(map(self._in_basic, client.values()))
            return url, {"Authorization": "Basic " + b64encode(both.encode()).decode()}
        return url, {}

    def _in_basic(self, text: str) -> str:
        """As RFC 6749 §2.3.1 writes it; plain where a server did not know that."""
        return text if self._is_plain else quote(text, safe="")

    def _try_plain(self) -> bool:
        """Whether the credentials go otherwise from now on: some servers compare them as they were given out."""
        given = (self._configuration.client_id, self._configuration.client_secret)
        differs = any(quote(text, safe="") != text for text in given)
        if self._configuration.credentials != "basic" or self._is_plain or not differs:
            return False
        self._is_plain = True
        return True

    def _take(self, answer: Answer) -> None:
        said = _object(answer)
        if not _gives_a_token(answer):
            error = _error_of(answer)
            reason = f" ({error})" if error else ""
            if answer.status == 401 or error == "invalid_client":
                raise SignInRefused(
                    f"The server does not accept this sign-in: client id or secret is wrong, or was revoked ({answer.status}"
                    f"{', ' + error if error else ''})."
                )
            raise SignInRefused(f"The token address gave no token: {answer.words}{reason}.")
        self._token = said["access_token"]
        granted = said.get("scope")
        if isinstance(granted, str) and set(self._ladder[0]) - set(granted.split()):
            self.notes.append("the token has fewer scopes than were asked for")
        lifetime = _seconds(said.get("expires_in"))
        self._until = self._clock() + max(lifetime - SKEW_SECONDS, lifetime / 2) if lifetime else float("inf")


def _gives_a_token(answer: Answer) -> bool:
    token = _object(answer).get("access_token")
    return 200 <= answer.status < 300 and isinstance(token, str) and bool(token)


def _object(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _error_of(answer: Answer) -> str:
    """The error's word (RFC 6749 §5.2), if it is one; nothing else of the body is ever shown."""
    word = _object(answer).get("error")
    known = word if isinstance(word, str) else ""
    return known if known.replace("_", "").isalpha() and len(known) < 40 else ""


def _seconds(given: Any) -> float:
    """`expires_in` as a number; 0 where it says nothing: it may be missing, text, or 0."""
    try:
        found = float(given)
    except (TypeError, ValueError):
        return 0.0
    return found if 0 < found < float("inf") else 0.0
