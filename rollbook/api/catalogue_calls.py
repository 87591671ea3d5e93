"""What the addresses of the catalogue and of mail to developers do. `intake` says who may."""

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
from rollbook.flows import catalogue, developer_mail, partners
from rollbook.flows.apps import AppExists, NoSuchGrant
from rollbook.refusal import Refusal
from rollbook.store.models import App, Developer, DeveloperMail, Grant, Logo, OperatorToken

LATEST = 100
TEXTS = {
    "name": "name", "vendor": "vendor", "website": "website", "description": "description", "instructions": "instructions",
    "contactName": "contact_name", "contactEmail": "contact_email", "startUrl": "start_url",
}  # fmt: skip
SENT = (*TEXTS, "redirectUris", "needs", "inDevelopment", "logo")
WHOSE = ("partner", "registeredBy")

Handle = Callable[[HttpRequest, OperatorToken, dict[str, int]], HttpResponse]

STATUS: dict[type[Refusal], int] = {
    **dict.fromkeys(
        (
            BadNeed, BadWebAddress, NotAPicture, PictureTooLarge, PictureOutOfShape,
            catalogue.AppNameNeeded, catalogue.TextTooLong, catalogue.BadContact,
            developer_mail.NoteNeeded, developer_mail.NoteTooLong, developer_mail.NamesAPupil,
            developer_mail.NoSuchTemplate,
        ),
        422,
    ),
    AppExists: 409,
}  # fmt: skip


# --- The catalogue ------------------------------------------------------------------------------------------------------------------


def _enter(request: HttpRequest, _: OperatorToken, __: dict[str, int]) -> HttpResponse:
    said = sent(request, *SENT, *WHOSE)
    picture = _logo(said)
    app = catalogue.enter(_entry(said), _developer(said))
    _show_with(app, said, picture)
    return answered(_told(app), 201)


def _developer(said: Json) -> Developer | None:
    """Whose app it is: the developer's who registers it, and their partner's. Raises BadBody, NoSuchPartner, NoSuchDeveloper."""
    if not any(name in said for name in WHOSE):
        return None
    number = said.get("partner")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 10**18:
        raise BadBody("partner")
    return partners.find_developer(partners.find_partner(str(number)), text(said, "registeredBy"))


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
    "developer_mails": _mails,
    "write_to_developer": _write,
}
