"""Apps: one enters the catalogue, a district grants it something, enables and disables it. Its keys are `flows.keys`' matter."""

from dataclasses import replace

from django.db import transaction

from rollbook.engine.scope import FULL, NONE, Level, Rule
from rollbook.flows import audit
from rollbook.flows.keys import Key, NoSuchKey, add_key, revoke_key
from rollbook.flows.names import name_of, optional_name
from rollbook.flows.permission_edits import edit_permissions
from rollbook.flows.removal import refuse_removed
from rollbook.refusal import Refusal
from rollbook.store.models import App, District, Grant
from rollbook.store.visibility import basic

__all__ = [
    "AppExists",
    "Key",
    "NoSuchApp",
    "NoSuchGrant",
    "NoSuchKey",
    "SchoolsNeeded",
    "SchoolsOnlyWithBasic",
    "add_app",
    "add_key",
    "disable",
    "enable",
    "find_app",
    "find_grant",
    "grant_app",
    "grant_of",
    "revoke_key",
    "set_permissions",
]


class AppExists(Refusal):
    """An app of this name is in the catalogue already."""


class NoSuchApp(Refusal):
    """No app of this name or number is in the catalogue: `rollbook app list` shows them."""


class NoSuchGrant(Refusal):
    """There is no grant of this number: `rollbook grant list` shows them."""


class SchoolsOnlyWithBasic(Refusal):
    """A full grant sees every school and one to nothing sees none: leave the choices out, or grant basic."""


class SchoolsNeeded(Refusal):
    """A basic grant sees the schools chosen: name at least one."""


def add_app(name: str, vendor: str = "") -> App:
    """A product enters the catalogue. Raises NameNeeded, NameTooLong, AppExists."""
    name, vendor = name_of(name), optional_name(vendor)
    with transaction.atomic():
        if App.objects.filter(name=name).exists():
            raise AppExists(name)
        app = App.objects.create(name=name, vendor=vendor)
        audit.record(None, "app.add", "app", app.pk, name, after={"vendor": app.vendor})
    return app


def find_app(name_or_number: str) -> App:
    """The app of this name, else of this number. Raises NoSuchApp."""
    app = App.objects.filter(name=name_or_number).first()
    if app is None and name_or_number.isdecimal() and len(name_or_number) < 19:
        app = App.objects.filter(pk=int(name_or_number)).first()
    if app is None:
        raise NoSuchApp(name_or_number)
    return app


def grant_of(district: District, app: App) -> Grant | None:
    """The grant of this app in this district, if it has one that was not removed."""
    return Grant.objects.filter(district=district, app=app, removed_at=None).first()


def find_grant(number: int) -> Grant:
    """Raises NoSuchGrant."""
    grant = Grant.objects.select_related("app", "district").filter(pk=number).first()
    if grant is None:
        raise NoSuchGrant(str(number))
    return grant


def grant_app(
    district: District, app: App, permission: str, schools: list[str], *, enabled: bool = True
) -> Grant:
    """What the app may see of the district from now on, by a level alone: full, none, or basic with the schools' served sourcedIds.

    Raises SchoolsOnlyWithBasic, SchoolsNeeded, UnknownSchool.
    """
    return set_permissions(district, app, _rule(district, permission, schools), enabled=enabled)


def _rule(district: District, permission: str, schools: list[str]) -> Rule:
    if permission != Level.BASIC:
        if schools:
            raise SchoolsOnlyWithBasic(permission)
        return FULL if permission == Level.FULL else NONE
    if not schools:
        raise SchoolsNeeded(permission)
    return basic(district.pk, schools)


def set_permissions(district: District, app: App, rule: Rule, *, enabled: bool = True) -> Grant:
    """What the app may see of the district from now on: a new grant, or the one there is with another rule, and with its days, the treatment
    of its fields and whether it is enabled as they were. Where the district wants a second person for it, it waits for one.

    Publishes. Raises BadCondition where a query of the rule cannot be asked.
    """
    with transaction.atomic():
        grant = grant_of(district, app) or Grant(district=district, app=app, enabled=enabled)
        is_new = grant._state.adding
        if not is_new:
            rule = replace(rule, fields=Rule.parse(grant.rule).fields)
        if grant.rule != rule.canonical():
            edit_permissions(grant, rule, (grant.starts_on, grant.ends_on))
        if is_new:
            audit.record(
                district.pk, "grant.add", "grant", grant.pk, grant.title,
                after={"app": app.pk, "permission": grant.permission, "enabled": grant.enabled},
            )  # fmt: skip
    return grant


def enable(grant: Grant) -> None:
    """The app reads again, with the keys it has. Raises AppRemoved."""
    _set_enabled(grant, True)


def disable(grant: Grant) -> None:
    """The app gets nothing from this moment on: no token, and 403 for those it holds."""
    _set_enabled(grant, False)


def _set_enabled(grant: Grant, is_enabled: bool) -> None:
    refuse_removed(grant)
    with transaction.atomic():
        was = grant.enabled
        grant.enabled = is_enabled
        grant.save(update_fields=["enabled"])
        if was != is_enabled:
            act = "grant.enable" if is_enabled else "grant.disable"
            audit.record(grant.district_id, act, "grant", grant.pk, grant.title)
