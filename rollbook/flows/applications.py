"""The applications of a district: added, asked for, called by another name, told other particulars, removed.

What one sees is edited in `permission_edits`.
"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.engine.scope import NONE, Rule
from rollbook.engine.web_addresses import redirect_uris, web_address
from rollbook.flows import audit
from rollbook.flows.apps import disable, enable, grant_of
from rollbook.flows.keys import revoke_key
from rollbook.flows.permission_edits import NO_DAYS, Days, edit_permissions
from rollbook.flows.removal import refuse_removed
from rollbook.refusal import Refusal
from rollbook.store.models import App, Credential, District, Grant, PermissionRequest

OWN = ("start_url", "redirect_uris", "website", "contact_name", "contact_email", "instructions")
"""What a district may say otherwise than the catalogue does: two addresses to sign in with, and what the vendor is reached by."""

MOST_NAME = 200
MOST_TEXT = 5_000
REQUESTED = "requested"


class AlreadyAdded(Refusal):
    """This app was added to the district before: open it under Applications."""


class NameNeeded(Refusal):
    """An app needs a name of at most 200 characters."""


class TextTooLong(Refusal):
    """A name has at most 200 characters, instructions at most 5,000."""


class BadContact(Refusal):
    """The developer's contact is not an e-mail address."""


def applications(district: District) -> QuerySet[Grant]:
    """The apps of a district, by the name they have there."""
    found = Grant.objects.filter(district=district, removed_at=None).select_related("app", "app__logo")
    return found.defer("app__logo__content").order_by("app__name", "id")


def add_application(
    district: District,
    app: App,
    rule: Rule,
    days: Days = NO_DAYS,
    *,
    enabled: bool = False,
    by: str,
    why: str = "",
) -> tuple[Grant, PermissionRequest | None]:
    """Let an app see what `rule` says, on those days; disabled unless said otherwise. The second value is what waits for a second person:
    until then it sees nothing.

    Raises AlreadyAdded and what `edit_permissions` raises. An app that was asked for becomes one that was added.
    """
    with transaction.atomic():
        District.objects.select_for_update().get(pk=district.pk)
        grant = grant_of(district, app)
        if grant is not None and not is_requested(grant):
            raise AlreadyAdded(grant.title)
        if grant is None:
            grant = Grant(district=district, app=app, enabled=enabled)
        else:
            grant.own.pop(REQUESTED)
            grant.enabled = enabled
            grant.save(update_fields=["own", "enabled"])
        waits = edit_permissions(grant, rule, days, by=by, why=why)
        audit.record(
            district.pk, "grant.add", "grant", grant.pk, grant.title,
            after={"app": app.pk, "enabled": enabled, "permission": rule.level}, by=by,
        )  # fmt: skip
    return grant, waits


def request_application(district: District, app: App, *, by: str, why: str) -> Grant:
    """Ask the district's administrators for an app: it stands among the applications, disabled and seeing nothing. Raises AlreadyAdded."""
    with transaction.atomic():
        District.objects.select_for_update().get(pk=district.pk)
        if grant_of(district, app) is not None:
            raise AlreadyAdded(app.name)
        grant = Grant(district=district, app=app, enabled=False)
        grant.own = {REQUESTED: {"by": by, "why": why.strip()[:500], "at": timezone.now().isoformat()}}
        edit_permissions(grant, NONE, by=by, why="Asked for.")
        audit.record(district.pk, "grant.request", "grant", grant.pk, grant.title, after={"why": why}, by=by)
    return grant


def is_requested(grant: Grant) -> bool:
    """Whether somebody asked for the app and no administrator has decided yet."""
    return REQUESTED in grant.own


def switch(grant: Grant, is_enabled: bool) -> None:
    """Let the app read, or give it nothing from this moment on. Raises AppRemoved."""
    (enable if is_enabled else disable)(grant)


def rename(grant: Grant, name: str, *, by: str) -> None:
    """What the app is called in this district from now on; an empty name is that of the catalogue. Raises NameNeeded, AppRemoved."""
    refuse_removed(grant)
    name = " ".join(name.replace("\0", "").split())
    if len(name) > MOST_NAME:
        raise NameNeeded(name[:MOST_NAME])
    with transaction.atomic():
        before, grant.name = grant.title, "" if name == grant.app.name else name
        grant.save(update_fields=["name"])
        audit.record(
            grant.district_id, "grant.rename", "grant", grant.pk, grant.title,
            before={"name": before}, after={"name": grant.title}, by=by,
        )  # fmt: skip


def particulars(grant: Grant) -> dict[str, Any]:
    """What is said of the app here, by OWN: as the district entered it, else as the catalogue has it."""
    return {field: grant.own.get(field, getattr(grant.app, field)) for field in OWN}


def edit_particulars(grant: Grant, entry: Mapping[str, Any], *, by: str) -> None:
    """Say this of the app from now on, by OWN; what is as in the catalogue follows it. Raises BadWebAddress, BadRedirect, BadContact,
    TextTooLong, AppRemoved.
    """
    refuse_removed(grant)
    judged = _judged({**particulars(grant), **{field: entry[field] for field in OWN if field in entry}})
    with transaction.atomic():
        before = particulars(grant)
        kept = {name: value for name, value in grant.own.items() if name not in OWN}
        entered = {field: value for field, value in judged.items() if value != getattr(grant.app, field)}
        grant.own = kept | entered
        grant.save(update_fields=["own"])
        changed = [field for field in OWN if before[field] != judged[field]]
        audit.record(
            grant.district_id, "grant.edit", "grant", grant.pk, grant.title,
            before={field: before[field] for field in changed},
            after={field: judged[field] for field in changed}, by=by,
        )  # fmt: skip


def _judged(entry: Mapping[str, Any]) -> dict[str, Any]:
    email = str(entry["contact_email"]).strip()
    try:
        if email:
            validate_email(email)
    except ValidationError as fault:
        raise BadContact(email[:254]) from fault
    name, instructions = str(entry["contact_name"]).strip(), str(entry["instructions"]).strip()
    if len(name) > MOST_NAME or len(instructions) > MOST_TEXT:
        raise TextTooLong
    return {
        "start_url": web_address(str(entry["start_url"])),
        "redirect_uris": redirect_uris(list(entry["redirect_uris"])),
        "website": web_address(str(entry["website"])),
        "contact_name": name.replace("\0", ""),
        "contact_email": email,
        "instructions": instructions.replace("\0", "").replace("\r\n", "\n"),
    }


def remove_application(grant: Grant, *, by: str) -> None:
    """The app leaves the district: its keys open nothing from this moment on, nothing is delivered to it any more, and what waits for a
    second person is withdrawn. Its history stays; added again, it begins anew. Raises AppRemoved.
    """
    with transaction.atomic():
        District.objects.select_for_update().get(pk=grant.district_id)
        found = Grant.objects.select_for_update().select_related("app").get(pk=grant.pk)
        refuse_removed(found)
        keys = list(Credential.objects.filter(grant=found, revoked_at=None))
        for key in keys:
            revoke_key(key.client_id)
        waiting = PermissionRequest.objects.filter(grant=found, decision="")
        waiting.update(
            decision=PermissionRequest.Decision.WITHDRAWN, decided_by=by, decided_at=timezone.now(),
            answer="The app was removed.",
        )  # fmt: skip
        found.enabled, found.removed_at, found.removed_by = False, timezone.now(), by
        found.save(update_fields=["enabled", "removed_at", "removed_by"])
        audit.record(
            found.district_id,
            "grant.remove",
            "grant",
            found.pk,
            found.title,
            after={"keys": len(keys)},
            by=by,
        )
    grant.enabled, grant.removed_at, grant.removed_by = found.enabled, found.removed_at, found.removed_by
