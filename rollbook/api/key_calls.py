"""What the addresses for keys, accesses, disclosures and the audit log do: a flow acts, JSON is answered. `intake` says who may."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from rollbook.api.sent import BadBody, Json, answered, sent, text
from rollbook.flows import access_history, audit, disclosure, keys
from rollbook.flows.apps import NoSuchGrant
from rollbook.refusal import Refusal
from rollbook.store import accesses
from rollbook.store.models import Credential, Grant, OperatorToken, User

MOST_ENTRIES = 100

Handle = Callable[[HttpRequest, OperatorToken, dict[str, int]], HttpResponse]


class NoSuchPerson(Refusal):
    """No person of this district has this sourcedId, and none had it."""


class AppGone(Refusal):
    """This app was removed from the district: it gets no more keys."""


STATUS: dict[type[Refusal], int] = {
    BadBody: 400,
    NoSuchGrant: 404,
    NoSuchPerson: 404,
    keys.NoSuchKey: 404,
    keys.KeyRevoked: 409,
    AppGone: 409,
    **dict.fromkeys((keys.BadOverlap, keys.InThePast, keys.NotANetwork, access_history.NotAnAllowance), 422),
}


# --- Keys ----------------------------------------------------------------------------------------------------------------------------


def _keys(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    return answered({"keys": [_key(one) for one in keys.keys_of(_grant(token, numbers))]})


def _add(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = _grant(token, numbers)
    if grant.removed_at is not None:
        raise AppGone(grant.title)
    asked = sent(request, "name", "oauth1", "expiresAt", "addresses")
    made = keys.add_key(
        grant,
        oauth1=asked.get("oauth1") is True,
        name=text(asked, "name")[:200],
        expires_at=_moment(asked, "expiresAt"),
        addresses=_texts(asked, "addresses"),
    )
    return answered(_secret(made), 201)


def _edit(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    key = _find(token, numbers)
    asked = sent(request, "expiresAt", "addresses")
    if "expiresAt" in asked:
        key = keys.set_end(key, _moment(asked, "expiresAt"))
    if "addresses" in asked:
        key = keys.set_addresses(key, _texts(asked, "addresses"))
    return answered(_key(keys.standing_of(key)))


def _renew(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    key = _find(token, numbers)
    hours = _number(sent(request, "keepHours"), "keepHours")
    hours = 24 if hours is None else hours
    if not 0 <= hours <= 720:
        raise keys.BadOverlap(str(hours))
    return answered(_secret(keys.renew_secret(key, timedelta(hours=hours))), 201)


def _revoke(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    keys.revoke_key(_find(token, numbers).client_id)
    return HttpResponse(status=204)


def _grant(token: OperatorToken, numbers: dict[str, int]) -> Grant:
    own = Grant.objects.select_related("app", "district").filter(district=token.district)
    grant = own.filter(pk=numbers["grant"]).first()
    if grant is None:
        raise NoSuchGrant(str(numbers["grant"]))
    return grant


def _find(token: OperatorToken, numbers: dict[str, int]) -> Credential:
    key = Credential.objects.filter(grant=_grant(token, numbers), pk=numbers["key"]).first()
    if key is None:
        raise keys.NoSuchKey(str(numbers["key"]))
    return key


def _key(one: keys.Standing) -> Json:
    key = one.credential
    return {
        "id": key.pk, "clientId": key.client_id, "name": key.name, "state": one.state, "oauth1": bool(key.oauth1_secret),
        "expiresAt": key.expires_at, "addresses": one.networks, "usedAt": _when(one.used_at), "usedFrom": one.used_from,
        "formerHoldsUntil": key.former_until if one.former_holds else None,
    }  # fmt: skip


def _secret(made: keys.Key) -> Json:
    return {
        "id": made.credential_id, "clientId": made.client_id, "clientSecret": made.client_secret, "oauth1": made.oauth1,
    }  # fmt: skip


# --- What was taken ----------------------------------------------------------------------------------------------------------------


def _access(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = _grant(token, numbers)
    days, page = _asked(request, "days", accesses.DAYS), _asked(request, "page", 1)
    since = int((timezone.now() - timedelta(days=min(days, 3650))).timestamp() * 1000)
    told = [
        {
            "at": _when(one.at), "kind": one.kind, "what": one.what, "version": one.version, "fields": list(one.fields),
            "records": one.records, "status": one.status, "milliseconds": one.milliseconds, "address": one.address,
            "key": one.key, "publication": one.publication, "reason": one.reason,
        }
        for one in access_history.takings(grant, since, page)
    ]  # fmt: skip
    return answered({"total": access_history.count(grant, since), "accesses": told})


def _unused(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    found = disclosure.unused(_grant(token, numbers), timezone.now())
    told = [
        {
            "collection": one.collection,
            "records": one.records,
            "fields": None if one.fields is None else list(one.fields),
        }
        for one in found
    ]
    return answered({"unused": told})


def _allowance(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    return answered(_allowed(_grant(token, numbers)))


def _set_allowance(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = _grant(token, numbers)
    asked = sent(request, "requests", "records")
    wanted = (_number(asked, "requests"), _number(asked, "records"))
    return answered(_allowed(access_history.set_allowance(grant, *wanted)))


def _allowed(grant: Grant) -> Json:
    today = access_history.days(grant, timezone.now(), 1)[0]
    return {
        "requests": grant.daily_requests, "records": grant.daily_records,
        "requestsToday": today.requests, "recordsToday": today.records,
    }  # fmt: skip


def _disclosures(request: HttpRequest, token: OperatorToken, _: dict[str, int]) -> HttpResponse:
    sourced_id = request.GET.get("sourcedId", "").replace("\0", "")
    person = User.objects.filter(district=token.district, sourced_id=sourced_id).first()
    if person is None:
        raise NoSuchPerson(sourced_id[:200])
    told = [
        {
            "app": one.grant.title, "grant": one.grant.pk, "since": _when(one.since), "until": _when(one.until),
            "calls": one.reads, "packages": one.deliveries, "first": _when(one.first), "last": _when(one.last),
            "fields": {name: dict(fields) for name, fields in one.fields.items()},
        }
        for one in disclosure.disclosures(token.district, person, timezone.now())
    ]  # fmt: skip
    return answered({"sourcedId": person.sourced_id, "disclosures": told})


# --- The audit log -----------------------------------------------------------------------------------------------------------------


def _audit(request: HttpRequest, token: OperatorToken, _: dict[str, int]) -> HttpResponse:
    found = audit.entries(token.district_id, request.GET.get("q", "")[:200], request.GET.get("act", "")[:60])
    before = _asked(request, "before", 0)
    if before:
        found = found.filter(number__lt=before)
    return answered({"entries": [audit.told(entry) for entry in found[:MOST_ENTRIES]]})


def _verify(_: HttpRequest, token: OperatorToken, __: dict[str, int]) -> HttpResponse:
    verdict = audit.verify(token.district_id)
    told = {"holds": verdict.holds, "entries": verdict.entries, "hash": verdict.hash, "wrong": verdict.wrong}
    return answered(told)


# --- What is sent and asked --------------------------------------------------------------------------------------------------------


def _moment(asked: Json, name: str) -> datetime | None:
    """Raises BadBody for what is no dateTime with a zone."""
    written = text(asked, name)
    if not written:
        return None
    try:
        at = parse_datetime(written)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadBody(name)
    return at


def _texts(asked: Json, name: str) -> list[str]:
    found = asked.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise BadBody(name)
    return found


def _number(asked: Json, name: str) -> int | None:
    found = asked.get(name)
    if found is not None and (not isinstance(found, int) or isinstance(found, bool)):
        raise BadBody(name)
    return found


def _asked(request: HttpRequest, name: str, usual: int) -> int:
    written = request.GET.get(name, "")
    if not (written.isascii() and written.isdecimal() and len(written) < 16):
        return usual
    return int(written) or usual


def _when(milliseconds: int | None) -> str | None:
    return disclosure.moment(milliseconds) or None


HANDLES: dict[str, Handle] = {
    "keys": _keys,
    "add_key": _add,
    "edit_key": _edit,
    "renew_key": _renew,
    "revoke_key": _revoke,
    "access": _access,
    "unused": _unused,
    "allowance": _allowance,
    "set_allowance": _set_allowance,
    "disclosures": _disclosures,
    "audit": _audit,
    "verify_audit": _verify,
}
