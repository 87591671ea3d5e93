"""What the addresses of the catalogue, of its partners and of mail to developers do. `intake` says who may."""

from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from rollbook.api.sent import BadBody, Json, answered, sent, text
from rollbook.engine.needs import BadNeed, parse_lines
from rollbook.engine.pictures import NotAPicture, PictureOutOfShape, PictureTooLarge, logo
from rollbook.engine.web_addresses import BadWebAddress
from rollbook.flows import catalogue, developer_mail, partner_access, partners
from rollbook.flows.apps import AppExists, NoSuchGrant
from rollbook.flows.operators import NotAnAddress
from rollbook.refusal import Refusal
from rollbook.store.models import App, Developer, DeveloperMail, Grant, Logo, OperatorToken, Partner

LATEST = 100
TEXTS = {
    "name": "name", "vendor": "vendor", "website": "website", "description": "description", "instructions": "instructions",
    "contactName": "contact_name", "contactEmail": "contact_email", "startUrl": "start_url",
}  # fmt: skip
SENT = (*TEXTS, "redirectUris", "needs", "inDevelopment", "logo")

Handle = Callable[[HttpRequest, OperatorToken, dict[str, int]], HttpResponse]

STATUS: dict[type[Refusal], int] = {
    partners.NoSuchPartner: 404,
    partners.NoSuchDeveloper: 404,
    **dict.fromkeys(
        (
            BadNeed, BadWebAddress, NotAPicture, PictureTooLarge, PictureOutOfShape, NotAnAddress,
            catalogue.AppNameNeeded, catalogue.TextTooLong, catalogue.BadContact, partners.PartnerNameNeeded, partners.NotARoleThere,
            developer_mail.NoteNeeded, developer_mail.NoteTooLong, developer_mail.NamesAPupil,
            developer_mail.NoSuchTemplate,
        ),
        422,
    ),
    AppExists: 409,
}  # fmt: skip


# --- The catalogue ------------------------------------------------------------------------------------------------------------------


def _enter(request: HttpRequest, _: OperatorToken, __: dict[str, int]) -> HttpResponse:
    said = sent(request, *SENT)
    picture = _logo(said)
    app = catalogue.enter(_entry(said))
    _show_with(app, said, picture)
    return answered(_told(app), 201)


def _entry_of(_: HttpRequest, __: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    return answered(_told(catalogue.find(numbers["app"])))


def _edit(request: HttpRequest, _: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    said = sent(request, *SENT)
    picture = _logo(said)
    app = catalogue.edit(catalogue.find(numbers["app"]), _entry(said))
    _show_with(app, said, picture)
    return answered(_told(app))


def _remove(_: HttpRequest, __: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    catalogue.remove(catalogue.find(numbers["app"]))
    return HttpResponse(status=204)


def _entry(said: Json) -> dict[str, Any]:
    """What was sent, as `flows.catalogue` takes it. Raises BadBody, BadNeed."""
    entry: dict[str, Any] = {column: text(said, name) for name, column in TEXTS.items() if name in said}
    if "redirectUris" in said:
        entry["redirect_uris"] = _lines(said, "redirectUris")
    if "needs" in said:
        entry["needs"] = parse_lines("\n".join(_lines(said, "needs")))
    if "inDevelopment" in said:
        if not isinstance(said["inDevelopment"], bool):
            raise BadBody("inDevelopment")
        entry["in_development"] = said["inDevelopment"]
    return entry


def _logo(said: Json) -> bytes:
    """The picture that was sent, judged before anything is stored. Raises BadBody, NotAPicture, PictureTooLarge, PictureOutOfShape."""
    encoded = said.get("logo")
    if encoded is None:
        return b""
    try:
        content = b64decode(encoded, validate=True)
    except (TypeError, ValueError) as fault:
        raise BadBody("logo") from fault
    return logo(content).content


def _show_with(app: App, said: Json, picture: bytes) -> None:
    if picture:
        catalogue.set_logo(app, picture)
    elif "logo" in said:
        catalogue.remove_logo(app)


def _lines(said: Json, name: str) -> list[str]:
    lines = said[name]
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise BadBody(name)
    return [line.replace("\0", "") for line in lines]


def _told(app: App) -> Json:
    by = app.registered_by
    return {
        "id": app.pk,
        **{name: getattr(app, column) for name, column in TEXTS.items()},
        "redirectUris": app.redirect_uris,
        "needs": [need.line for need in catalogue.needs_of(app)],
        "inDevelopment": app.in_development,
        "logo": _address_of_logo(app),
        "partner": app.partner_id,
        "registeredBy": by.account.email if by else None,
    }


def _address_of_logo(app: App) -> str | None:
    """Where the picture is served, to whoever knows this address."""
    kept = Logo.objects.filter(app=app).only("checksum").first()
    if kept is None:
        return None
    return settings.PUBLIC_URL + reverse("app-logo", kwargs={"app_id": app.pk, "checksum": kept.checksum})


# --- Partners -----------------------------------------------------------------------------------------------------------------------


def _partners(_: HttpRequest, __: OperatorToken, ___: dict[str, int]) -> HttpResponse:
    return answered({"partners": [_partner(one) for one in Partner.objects.order_by("name")]})


def _add_partner(request: HttpRequest, _: OperatorToken, __: dict[str, int]) -> HttpResponse:
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


def _found(numbers: dict[str, int]) -> Partner:
    partner = Partner.objects.filter(pk=numbers["partner"]).first()
    if partner is None:
        raise partners.NoSuchPartner(str(numbers["partner"]))
    return partner


def _developer(developer: Developer) -> Json:
    return {
        "id": developer.pk,
        "email": developer.account.email,
        "name": developer.name,
        "role": developer.role,
    }


# --- Mail to developers -------------------------------------------------------------------------------------------------------------


def _mails(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    found = developer_mail.mails_of(_grant(token, numbers))
    return answered({"mails": [_mail(one) for one in found[:LATEST]]})


def _write(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    """Only shown, unless `send` says so."""
    said = sent(request, "about", "note", "to", "send")
    grant, by = _grant(token, numbers), token.account.email or ""
    to = text(said, "to") or developer_mail.REGISTERED
    if to not in (developer_mail.REGISTERED, developer_mail.ALL):
        raise BadBody("to")
    message = developer_mail.compose(grant, text(said, "about"), text(said, "note"), "", by, to)
    if said.get("send") is not True:
        recipients = [{"email": one.email, "sent": False} for one in message.recipients]
        return answered({"subject": message.subject, "body": message.body, "recipients": recipients})
    return answered(_mail(developer_mail.send(grant, message, by, datetime.now(UTC))), 201)


def _grant(token: OperatorToken, numbers: dict[str, int]) -> Grant:
    found = Grant.objects.select_related("app", "district").filter(district=token.district, removed_at=None)
    grant = found.filter(pk=numbers["grant"]).first()
    if grant is None:
        raise NoSuchGrant(str(numbers["grant"]))
    return grant


def _mail(mail: DeveloperMail) -> Json:
    return {
        "id": mail.pk, "at": mail.at, "by": mail.written_by, "subject": mail.subject, "body": mail.body,
        "recipients": mail.recipients, "reason": mail.reason,
    }  # fmt: skip


HANDLES: dict[str, Handle] = {
    "enter_app": _enter,
    "catalogue_app": _entry_of,
    "edit_catalogue_app": _edit,
    "remove_catalogue_app": _remove,
    "partners": _partners,
    "add_partner": _add_partner,
    "developers": _developers,
    "invite_developer": _invite,
    "let_developer_go": _let_go,
    "developer_mails": _mails,
    "write_to_developer": _write,
}
