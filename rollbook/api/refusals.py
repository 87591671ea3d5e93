"""What the REST door refuses, and the one place where a refusal becomes an answer in the words of its version."""

import orjson
from django.http import HttpResponse

from rollbook.api.call import Call
from rollbook.oneroster import errors
from rollbook.oneroster.query import BadQuery
from rollbook.refusal import Refusal
from rollbook.store.visibility import NotVisible


class Unauthorised(Refusal):
    """Show a valid access token as a Bearer; OneRoster 1.1 also takes a request signed with OAuth 1.0a."""


class AppDisabled(Refusal):
    """This app is disabled here: the district has to enable it, or give it another key."""


class AddressRefused(Refusal):
    """This key is not used from this address: the district says which addresses it may come from."""


class ScopeMissing(Refusal):
    """The scopes of this token do not open this call."""


class NoSuchAddress(Refusal):
    """Nothing is served at this address."""


class OnlyReading(Refusal):
    """This address is for reading: it answers GET and HEAD."""


class TooManyRequests(Refusal):
    """Too many requests in a minute: wait as long as Retry-After says."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class AllowanceUsed(TooManyRequests):
    """This app has used up what it may take in a day: it goes on at midnight UTC, as Retry-After says."""


PROBLEM_OF: dict[type[Exception], str] = {
    Unauthorised: "unauthorisedrequest",
    AppDisabled: "forbidden",
    AddressRefused: "forbidden",
    ScopeMissing: "forbidden",
    NoSuchAddress: "unknownobject",
    NotVisible: "unknownobject",
    OnlyReading: "unsupported",
    TooManyRequests: "server_busy",
    AllowanceUsed: "server_busy",
}

REFUSED: tuple[type[Exception], ...] = (*PROBLEM_OF, BadQuery)


def answer(call: Call, refusal: Exception) -> HttpResponse:
    """The answer to a call that one of REFUSED ended."""
    if isinstance(refusal, BadQuery):
        words = f"{refusal.parameter}, character {refusal.position + 1}: {refusal.text}"
        return _answer(call, refusal.kind, words)
    if isinstance(refusal, NotVisible):
        return _answer(call, PROBLEM_OF[NotVisible], "There is no such record.")
    assert isinstance(refusal, Refusal)
    response = _answer(call, PROBLEM_OF[type(refusal)], refusal.words)
    if isinstance(refusal, Unauthorised):
        response["WWW-Authenticate"] = _challenge(call)
    if isinstance(refusal, OnlyReading):
        response["Allow"] = "GET, HEAD"
    if isinstance(refusal, TooManyRequests):
        response["Retry-After"] = str(refusal.seconds)
    return response


def fault(call: Call) -> HttpResponse:
    """The answer when the fault is ours: nothing about it but the id under which the log has it."""
    return _answer(call, "internal_server_error", f"A fault on our side; it is logged as {call.id}.")


def _answer(call: Call, problem: str, description: str) -> HttpResponse:
    body = errors.body(call.version, problem, description, call.id, call.operation_id)
    response = HttpResponse(
        orjson.dumps(body), status=errors.PROBLEM[problem].status, content_type="application/json"
    )
    response["X-Request-Id"] = call.id
    response["Cache-Control"] = "no-store"
    return response


def _challenge(call: Call) -> str:
    """RFC 6750 §3; a token that was shown is said to be invalid only then."""
    error = ', error="invalid_token"' if call.authorization.lower().startswith("bearer") else ""
    signed = ', OAuth realm="OneRoster"' if call.version == "1.1" else ""
    return f'Bearer realm="OneRoster"{error}{signed}'
