"""The catalogue: apps are entered, edited, found again, and shown with a logo. What a district lets an app see is in flows/apps."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet

from rollbook.engine import pictures
from rollbook.engine.needs import Need, canonical, parse
from rollbook.engine.web_addresses import redirect_uris, web_address
from rollbook.flows import audit
from rollbook.flows.apps import AppExists, NoSuchApp
from rollbook.refusal import Refusal
from rollbook.store.models import App, Developer, DeveloperMail, Grant, Logo

MOST_TEXT = 5_000

TEXTS = ("name", "vendor", "contact_name", "description", "instructions")
ADDRESSES = ("website", "start_url")
FIELDS = (*TEXTS, *ADDRESSES, "contact_email", "redirect_uris", "needs", "in_development")
"""What is said of an app: texts, web addresses, `redirect_uris` (a list), `needs` (a tuple of Need), `in_development` (a bool)."""

Entry = Mapping[str, Any]


class AppNameNeeded(Refusal):
    """An app needs a name: the one its users know."""


class TextTooLong(Refusal):
    """A name has at most 200 characters, a description or instructions at most 5,000."""


class BadContact(Refusal):
    """The developer's contact is not an e-mail address."""


class AppInUse(Refusal):
    """Districts have added this app, and their histories speak of it: it stays in the catalogue."""


def browse(search: str = "", *, with_development: bool = False) -> QuerySet[App]:
    """The apps whose name or company holds all words of `search`, by name. Those in development only when asked for."""
    found = App.objects.select_related("logo", "partner").defer("logo__content")
    for word in search.replace("\0", "").split()[:10]:
        found = found.filter(Q(name__icontains=word) | Q(vendor__icontains=word))
    if not with_development:
        found = found.filter(in_development=False)
    return found.order_by("name", "id")


def find(number: int) -> App:
    """The app of this number. Raises NoSuchApp."""
    app = App.objects.filter(pk=number).first()
    if app is None:
        raise NoSuchApp(str(number))
    return app


def enter(entry: Entry, registered_by: Developer | None = None) -> App:
    """An app comes into the catalogue; one that a developer registers is their partner's, and says whose it is.

    `entry` holds what is said of it, by FIELDS. Raises AppNameNeeded, AppExists, TextTooLong, BadWebAddress, BadRedirect, BadContact.
    """
    app = App(registered_by=registered_by, partner=registered_by.partner if registered_by else None)
    return _save(app, {"name": "", **entry})


def edit(app: App, entry: Entry) -> App:
    """Says what `entry` holds of the app from now on; the rest stays. Districts' own settings stay too. Raises what `enter` raises."""
    return _save(app, entry)


def _save(app: App, entry: Entry) -> App:
    judged = _judged(entry)
    changed = sorted(field for field, value in judged.items() if getattr(app, field) != value)
    is_new = app.pk is None
    for field, value in judged.items():
        setattr(app, field, value)
    if app.partner is not None:
        app.vendor = app.partner.name
    with transaction.atomic():
        if App.objects.filter(name=app.name).exclude(pk=app.pk).exists():
            raise AppExists(app.name)
        app.save()
        _record(app, "app.add" if is_new else "app.edit", {"fields": changed})
    return app


def _record(app: App, act: str, after: Entry | None = None) -> None:
    """Into the installation's audit log: the catalogue is no district's."""
    audit.record(None, act, "app", app.pk, app.name, after=after)


def _judged(entry: Entry) -> dict[str, Any]:
    """What is to be stored, by column."""
    judged: dict[str, Any] = {field: _text(field, entry[field]) for field in TEXTS if field in entry}
    if judged.get("name") == "":
        raise AppNameNeeded
    judged |= {field: web_address(entry[field]) for field in ADDRESSES if field in entry}
    if "contact_email" in entry:
        judged["contact_email"] = _contact(entry["contact_email"])
    if "redirect_uris" in entry:
        judged["redirect_uris"] = redirect_uris(list(entry["redirect_uris"]))
    if "needs" in entry:
        judged["needs"] = canonical(entry["needs"])
    if "in_development" in entry:
        judged["in_development"] = bool(entry["in_development"])
    return judged


def _text(field: str, text: str) -> str:
    """Without spaces around it; a name, which stands in subjects of e-mails, on one line."""
    is_long = field in ("description", "instructions")
    kept = text.strip() if is_long else " ".join(text.split())
    kept = kept.replace("\0", "").replace("\r\n", "\n")
    if len(kept) > (MOST_TEXT if is_long else 200):
        raise TextTooLong(field)
    return kept


def _contact(text: str) -> str:
    address = text.strip()
    try:
        if address:
            validate_email(address)
    except ValidationError as fault:
        raise BadContact(address[:200]) from fault
    if len(address) > 254:
        raise BadContact(f"{address[:40]}…")
    return address


def needs_of(app: App) -> tuple[Need, ...]:
    """What the app's vendor says it needs."""
    return parse(app.needs)


def set_logo(app: App, content: bytes) -> Logo:
    """The app is shown with this picture from now on. Raises NotAPicture, PictureTooLarge, PictureOutOfShape."""
    picture = pictures.logo(content)
    checksum = hashlib.sha256(picture.content).hexdigest()
    with transaction.atomic():
        logo, _ = Logo.objects.update_or_create(
            app=app, defaults={"kind": picture.kind, "checksum": checksum, "content": picture.content}
        )
        _record(app, "app.logo", {"checksum": checksum})
    return logo


def remove_logo(app: App) -> None:
    """The app is shown by its first letter."""
    with transaction.atomic():
        if Logo.objects.filter(app=app).delete()[0]:
            _record(app, "app.logo", {"checksum": ""})


def remove(app: App) -> None:
    """The app leaves the catalogue. Raises AppInUse."""
    with transaction.atomic():
        if Grant.objects.filter(app=app).exists() or DeveloperMail.objects.filter(app=app).exists():
            raise AppInUse(app.name)
        _record(app, "app.remove")
        app.delete()
