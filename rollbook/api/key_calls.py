"""What the addresses for keys, accesses and disclosures do: a flow acts, JSON is answered. `intake` says who may."""

from collections.abc import Callable
from datetime import timedelta

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from rollbook.api.sent import BadBody, Json, answered, csv_answer, moment, sent, text, texts
from rollbook.flows import access_history, audit, disclosure, keys
from rollbook.flows.apps import NoSuchGrant
from rollbook.flows.keys import endpoints
from rollbook.flows.names import NameTooLong
from rollbook.oneroster import scopes
from rollbook.refusal import Refusal
from rollbook.store import accesses
from rollbook.store.models import Credential, Grant, OperatorToken, User

Handle = Callable[[HttpRequest, OperatorToken, dict[str, int]], HttpResponse]


class NoSuchPerson(Refusal):
    """No person of this district has this sourcedId, and none had it."""


class NotYourPassword(Refusal):
    """This is not the password of the operator whose token this is."""


class TooManyTries(Refusal):
    """Too many tries: wait a minute."""


class AppGone(Refusal):
    """This app was removed from the district: it gets no more keys."""


STATUS: dict[type[Refusal], int] = {
    BadBody: 400,
    NoSuchGrant: 404,
    NoSuchPerson: 404,
    keys.NoSuchKey: 404,
    keys.KeyRevoked: 409,
    NotYourPassword: 403,
    TooManyTries: 429,
    AppGone: 409,
    **dict.fromkeys(
        (keys.BadOverlap, keys.InThePast, keys.NotANetwork, NameTooLong, access_history.NotAnAllowance), 422
    ),
}


# --- Keys ----------------------------------------------------------------------------------------------------------------------------


def _keys(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    told = [_key(one) for one in keys.keys_of(_grant(token, numbers))]
    return answered(
        {"keys": told, "tenantId": token.district_id, "endpoints": endpoints(), "scopes": sorted(scopes.ALL)}
    )


def _add(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant = _grant(token, numbers)
    if grant.removed_at is not None:
        raise AppGone(grant.title)
    asked = sent(request, "name", "oauth1", "expiresAt", "addresses")
    made = keys.add_key(
        grant,
        oauth1=asked.get("oauth1") is True,
        name=text(asked, "name"),
        expires_at=moment(asked, "expiresAt"),
        addresses=texts(asked, "addresses"),
    )
    return answered(_secret(made), 201)


def _edit(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    key = _find(token, numbers)
    asked = sent(request, "expiresAt", "addresses")
    if "expiresAt" in asked:
        key = keys.set_end(key, moment(asked, "expiresAt"))
    if "addresses" in asked:
        key = keys.set_addresses(key, texts(asked, "addresses"))
    return answered(_key(keys.standing_of(key)))


def _renew(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    key = _find(token, numbers)
    hours = _number(sent(request, "keepHours"), "keepHours")
    hours = 24 if hours is None else hours
    if not 0 <= hours <= 720:
        raise keys.BadOverlap(str(hours))
    return answered(_secret(keys.renew_secret(key, timedelta(hours=hours))), 201)


def _end_former(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    key = _find(token, numbers)
    keys.end_former_secret(key)
    key.refresh_from_db()
    return answered(_key(keys.standing_of(key)))


def _show(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    """A token alone does not show a secret: its operator's password is asked for, and tries are as few as in the console."""
    key, account = _find(token, numbers), token.account
    password = text(sent(request, "password"), "password")
    if not ratelimit.consume(request, action="reauthenticate", user=account):
        raise TooManyTries
    if not account.check_password(password):
        keys.note_refused_look(key)
        raise NotYourPassword
    secret = keys.read_secret(key)
    return answered(_secret(keys.Key(key.pk, key.client_id, secret, True)))


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
    since, page = _since(request), _asked(request, "page", 1)
    told = [
        {
            "at": _when(one.at), "kind": one.kind, "what": one.what, "version": one.version, "fields": list(one.fields),
            "records": one.records, "status": one.status, "milliseconds": one.milliseconds, "address": one.address,
            "key": one.key, "publication": one.publication, "reason": one.reason,
        }
        for one in access_history.takings(grant, since, page)
    ]  # fmt: skip
    return answered({"total": access_history.count(grant, since), "accesses": told})


def _access_csv(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    grant, days = _grant(token, numbers), _asked(request, "days", accesses.DAYS)
    access_history.note_export(grant, days)
    lines = access_history.csv_rows(grant, _since(request))
    return csv_answer(lines, f"access-{grant.pk}.csv")


def _since(request: HttpRequest) -> int:
    days = min(_asked(request, "days", accesses.DAYS), 3650)
    return int((timezone.now() - timedelta(days=days)).timestamp() * 1000)


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
    person = _person(request, token)
    told = [
        {
            "app": one.grant.title, "grant": one.grant.pk, "since": _when(one.since), "until": _when(one.until),
            "calls": one.reads, "packages": one.deliveries, "first": _when(one.first), "last": _when(one.last),
            "fields": {name: dict(fields) for name, fields in one.fields.items()},
        }
        for one in disclosure.disclosures(token.district, person, timezone.now())
    ]  # fmt: skip
    return answered({"sourcedId": person.sourced_id, "disclosures": told})


def _disclosures_csv(request: HttpRequest, token: OperatorToken, _: dict[str, int]) -> HttpResponse:
    person = _person(request, token)
    rows = list(disclosure.rows(disclosure.disclosures(token.district, person, timezone.now())))
    audit.record(token.district_id, "disclosure.export", "users", person.sourced_id)
    return csv_answer(rows, f"disclosure-{person.id}.csv")


def _person(request: HttpRequest, token: OperatorToken) -> User:
    sourced_id = request.GET.get("sourcedId", "").replace("\0", "")
    person = User.objects.filter(district=token.district, sourced_id=sourced_id).first()
    if person is None:
        raise NoSuchPerson(sourced_id[:200])
    return person


# --- What is sent and asked --------------------------------------------------------------------------------------------------------


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
    "end_former_secret": _end_former,
    "show_secret": _show,
    "revoke_key": _revoke,
    "access": _access,
    "access_csv": _access_csv,
    "unused": _unused,
    "allowance": _allowance,
    "set_allowance": _set_allowance,
    "disclosures": _disclosures,
    "disclosures_csv": _disclosures_csv,
}
