"""What the addresses of partners, their developers, their keys and their applications do. `intake` says who may."""

from collections.abc import Callable
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from rollbook.api.sent import BadBody, Json, answered, moment, sent, text
from rollbook.flows import disclosure, keys, partner_access, partners
from rollbook.flows.acting import actor
from rollbook.flows.names import NameTooLong
from rollbook.flows.operators import NotAnAddress
from rollbook.refusal import Refusal
from rollbook.store.models import Developer, Grant, OperatorToken, Partner, PartnerKey

Handle = Callable[[HttpRequest, OperatorToken, dict[str, int]], HttpResponse]

STATUS: dict[type[Refusal], int] = {
    partners.NoSuchPartner: 404,
    partners.NoSuchDeveloper: 404,
    partners.NoSuchPartnerKey: 404,
    partner_access.NoSuchApplication: 404,
    **dict.fromkeys(
        (
            partners.PartnerNameNeeded, partners.KeyNameNeeded, partners.NotARoleThere, keys.InThePast, NotAnAddress,
            NameTooLong,
        ),
        422,
    ),
}  # fmt: skip


def _partners(_: HttpRequest, __: OperatorToken, ___: dict[str, int]) -> HttpResponse:
    return answered({"partners": [_partner(one) for one in Partner.objects.order_by("name")]})


def _add(request: HttpRequest, _: OperatorToken, __: dict[str, int]) -> HttpResponse:
    said = sent(request, "name", "website")
    return answered(_partner(partners.add_partner(text(said, "name"), text(said, "website"))), 201)


def _partner(partner: Partner) -> Json:
    return {
        "id": partner.pk,
        "name": partner.name,
        "website": partner.website,
        "apps": list(partners.apps_of(partner).values_list("pk", flat=True)),
        "applications": partner_access.applications(partner).count(),
    }


def _found(numbers: dict[str, int]) -> Partner:
    partner = Partner.objects.filter(pk=numbers["partner"]).first()
    if partner is None:
        raise partners.NoSuchPartner(str(numbers["partner"]))
    return partner


# --- Who works for them --------------------------------------------------------------------------------------------------------------


def _developers(_: HttpRequest, __: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    found = partners.developers_of(_found(numbers))
    return answered({"developers": [_developer(one) for one in found]})


def _invite(request: HttpRequest, _: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    said = sent(request, "email", "name", "role")
    role = text(said, "role") or partners.PARTNER
    developer, is_sent = partners.invite(_found(numbers), text(said, "email"), text(said, "name"), role)
    return answered(_developer(developer) | {"sent": is_sent}, 201)


def _let_go(_: HttpRequest, __: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    developer = partners.developers_of(_found(numbers)).filter(pk=numbers["developer"]).first()
    if developer is None:
        raise partners.NoSuchDeveloper
    partners.let_go(developer, datetime.now(UTC))
    return HttpResponse(status=204)


def _developer(developer: Developer) -> Json:
    return {
        "id": developer.pk,
        "email": developer.account.email,
        "name": developer.name,
        "role": developer.role,
    }


# --- Where their apps were added -----------------------------------------------------------------------------------------------------


def _applications(_: HttpRequest, __: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    found = partner_access.applications(_found(numbers))
    return answered({"applications": [_application(grant) for grant in found]})


def _application(grant: Grant) -> Json:
    live = [one for one in keys.keys_of(grant) if one.state == "live"]
    return {
        "id": grant.pk, "app": grant.app_id, "name": grant.title, "tenantId": grant.district_id, "district": grant.district.name,
        "enabled": grant.enabled, "keys": [_opening(one) for one in live],
    }  # fmt: skip


def _opening(one: keys.Standing) -> Json:
    key = one.credential
    used = disclosure.moment(one.used_at) or None
    return {"clientId": key.client_id, "name": key.name, "oauth1": bool(key.oauth1_secret), "usedAt": used}


def _renew_bearer(_: HttpRequest, __: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    """Also where the district revoked the one there was: who asks works in every district."""
    partner_access.make_bearer(partner_access.find_application(_found(numbers), numbers["grant"]))
    return HttpResponse(status=204)


# --- Their keys of the partner API ---------------------------------------------------------------------------------------------------


def _keys(_: HttpRequest, __: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    return answered({"keys": [_key(one) for one in partners.keys_of(_found(numbers))]})


def _make_key(request: HttpRequest, _: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    said = sent(request, "name", "expiresAt")
    key, secret = partners.make_key(
        _found(numbers), text(said, "name"), actor().name, moment(said, "expiresAt")
    )
    return answered(_key(key) | {"secret": secret}, 201)


def _end_key(request: HttpRequest, _: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    said = sent(request, "expiresAt")
    if "expiresAt" not in said:
        raise BadBody("expiresAt")
    return answered(_key(partners.set_key_end(_found(numbers), numbers["key"], moment(said, "expiresAt"))))


def _revoke_key(_: HttpRequest, __: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    partners.revoke_key(_found(numbers), numbers["key"], actor().name, timezone.now())
    return HttpResponse(status=204)


def _key(key: PartnerKey) -> Json:
    return {
        "id": key.pk, "name": key.name, "begins": key.beginning, "state": partners.state_of(key, timezone.now()),
        "expiresAt": key.expires_at, "madeBy": key.made_by, "madeAt": key.created_at,
    }  # fmt: skip


HANDLES: dict[str, Handle] = {
    "partners": _partners,
    "add_partner": _add,
    "developers": _developers,
    "invite_developer": _invite,
    "let_developer_go": _let_go,
    "partner_applications": _applications,
    "renew_bearer": _renew_bearer,
    "partner_keys": _keys,
    "make_partner_key": _make_key,
    "end_partner_key": _end_key,
    "revoke_partner_key": _revoke_key,
}
