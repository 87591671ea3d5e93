"""Exports: how the packages of a grant reach its app, as it is set, checked and tested. What is sent by it is `flows.deliveries`."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, time

from django.db import transaction
from django.utils import timezone

from rollbook.connectors import sftp_push
from rollbook.connectors.contract import BadSetting, Option, Secrets
from rollbook.connectors.sftp_drop import OPTIONS as DROP_OPTIONS
from rollbook.connectors.sftp_drop import checked as checked_login
from rollbook.connectors.sftp_drop import tested as tested_login
from rollbook.engine.calendar import Daily, Due, next_due
from rollbook.engine.holdings import holdings
from rollbook.engine.scope import Rule
from rollbook.engine.tailoring import parse
from rollbook.flows import audit
from rollbook.flows.drops import refuse_taken_login
from rollbook.flows.spans import zone_of
from rollbook.flows.timetable import WEEKDAYS, checked_times, checked_weekdays
from rollbook.refusal import Refusal
from rollbook.store.models import Export, Grant

PUSH, PICKUP = Export.Way.PUSH, Export.Way.PICKUP
FILE_NAME = "rollbook-{tenant}-{publication}-{mode}.zip"
NAMED = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]|\{(?:tenant|publication|mode|version|date)\}){0,90}\.zip")

COMMON = (
    Option("version", "OneRoster version", "Of the CSV files.", "1.2", choices=("1.2", "1.1")),
    Option(
        "mode",
        "What is sent",
        "bulk: everything the app may see. delta: what changed since the last delivery that succeeded; everything, where that cannot be said.",
        "bulk",
        choices=("bulk", "delta"),
    ),
    Option(
        "times",
        "Times of the day",
        "By the district's clock, such as 02:30 or 02:30, 14:00. Empty: only when somebody asks for it.",
    ),
    Option("weekdays", "Days", "Such as mon, tue, wed, thu, fri.", ", ".join(WEEKDAYS)),
    Option(
        "file_name",
        "File name",
        "Letters, digits, dots and dashes, ending in .zip. {tenant}, {publication}, {mode}, {version} and {date} are filled in.",
        FILE_NAME,
    ),
    Option(
        "template",
        "Template",
        "Only for an app that cannot read OneRoster: files and columns of its own. Empty: a OneRoster package.",
        lines=True,
    ),
)

WAYS: dict[str, tuple[Option, ...]] = {
    PUSH: sftp_push.OPTIONS,
    PICKUP: tuple(one for one in DROP_OPTIONS if one.name in ("login", "password", "keys", "allow")),
}
"""What is to be filled in for each way, beside COMMON."""


class NoExport(Refusal):
    """Nothing is set up by which this app gets packages: set up its SFTP export first."""


class NoSuchOption(Refusal):
    """An export has no such setting: `rollbook delivery options` shows those there are."""


class BadWay(Refusal):
    """Packages are brought to the app's server (push), or fetched by it from ours (pickup)."""


def export_of(grant: Grant) -> Export | None:
    return Export.objects.filter(grant=grant).first()


def the_export_of(grant: Grant) -> Export:
    """Raises NoExport."""
    export = export_of(grant)
    if export is None:
        raise NoExport(str(grant.pk))
    return export


def set_export(
    grant: Grant, way: str, filled: Mapping[str, str], by: str, *, enabled: bool | None = None
) -> Export:
    """How the app gets packages from now on. What is not in `filled` (texts by option name) stays; so does a secret left empty.

    Raises BadWay, NoSuchOption, BadSetting, BadSchedule, BadTemplate, LoginTaken.
    """
    if way not in WAYS:
        raise BadWay(way)
    export = export_of(grant) or Export(grant=grant, way=way, file_name=FILE_NAME)
    before = told(export) if export.pk else None
    if export.way != way:
        export.way, export.settings, export.secrets = way, {}, ""
    export.enabled = export.enabled if enabled is None else enabled
    _fill_common(export, filled)
    _fill_way(export, filled)
    export.set_by, export.set_at = by, timezone.now()
    with transaction.atomic():
        export.save()
        after = told(export)
        audit.record(
            grant.district_id, "export.set", "grant", grant.pk, grant.title, before=before, after=after
        )
    return export


def remove_export(grant: Grant) -> None:
    """The app gets no packages any more; those that wait on our server go with the next look. Raises NoExport."""
    export = the_export_of(grant)
    with transaction.atomic():
        audit.record(
            grant.district_id,
            "export.remove",
            "grant",
            grant.pk,
            grant.title,
            before=told(export),
            after=None,
        )
        export.delete()


def test_export(grant: Grant, tell: Callable[[int, int], None]) -> list[str]:
    """What was found, a line each, in words. `tell(steps done, steps)`. Raises NoExport, CannotSend."""
    export = the_export_of(grant)
    if export.way == PICKUP:
        return tested_login(export.settings, secrets_of(export))
    return sftp_push.tested(export.settings, secrets_of(export), tell)


def secrets_of(export: Export) -> Secrets:
    return dict(json.loads(export.secrets or "{}"))


def told(export: Export) -> dict[str, object]:
    """An export as it is shown and kept in the audit log: everything but its secrets."""
    return {
        "way": str(export.way),
        "enabled": export.enabled,
        "version": export.version,
        "mode": export.mode,
        "times": export.times,
        "weekdays": [WEEKDAYS[day] for day in export.weekdays],
        "file_name": export.file_name,
        "template": export.template,
        **{name: value for name, value in export.settings.items() if name in _names(export.way)},
    }


def as_filled(export: Export | None, way: str) -> dict[str, str]:
    """The texts a form shows: what is kept, else the defaults; secrets never."""
    kept = told(export) if export and export.way == way else {}
    options = [option for option in (*COMMON, *WAYS[way]) if not option.secret]
    return {option.name: _as_text(kept.get(option.name, option.default), option) for option in options}


def daily_of(export: Export) -> Daily:
    return Daily(tuple(map(time.fromisoformat, export.times)), frozenset(export.weekdays))


def next_delivery(export: Export, now: datetime) -> Due | None:
    """When a package is made next by itself; None where none is."""
    if not export.enabled or not export.times:
        return None
    return next_due(daily_of(export), zone_of(export.grant.district), now)


def why_only_whole(grant: Grant, template: str) -> str:
    """Why a delta cannot be made for this app at all, in words; empty where it can."""
    if template:
        return "The files of a template are always whole."
    if not Rule.parse(grant.rule).deleted:
        return "Deleted records are off in this app's permissions, so only whole packages are exact: a delta could not say what is gone."
    return ""


def _fill_common(export: Export, filled: Mapping[str, str]) -> None:
    known = {option.name for option in (*COMMON, *WAYS[export.way])}
    for name in filled:
        if name not in known:
            raise NoSuchOption(name)
    for name, words in (("version", ("1.2", "1.1")), ("mode", ("bulk", "delta"))):
        value = filled.get(name, "").strip() or getattr(export, name)
        if value not in words:
            raise BadSetting(f"{name} is '{value}'. Write one of: {', '.join(words)}.")
        setattr(export, name, value)
    if "file_name" in filled:
        export.file_name = _file_name(filled["file_name"].strip() or FILE_NAME)
    if "template" in filled:
        _fill_template(export, filled["template"].strip())
    if export.template:
        parse(export.template, export.version)
    _fill_schedule(export, filled)


def _fill_template(export: Export, text: str) -> None:
    """What the app's permissions keep back cannot be newly named. Raises BadTemplate.

    What they have come to keep back since it was named is an empty column, and no reason to refuse the rest.
    """
    text = "\n".join(text.splitlines())
    if text and text != export.template:
        parse(text, export.version, holdings(Rule.parse(export.grant.rule), export.version))
    export.template = text


def _fill_schedule(export: Export, filled: Mapping[str, str]) -> None:
    if "times" in filled:
        texts = _parts(filled["times"])
        export.times = checked_times(texts) if texts else []
    if "weekdays" in filled:
        export.weekdays = checked_weekdays(_parts(filled["weekdays"]) or WEEKDAYS)
    if not export.weekdays:
        export.weekdays = list(range(len(WEEKDAYS)))


def _fill_way(export: Export, filled: Mapping[str, str]) -> None:
    options = {option.name: option for option in WAYS[export.way]}
    shown = {name: text for name, text in filled.items() if name in options and not options[name].secret}
    hidden = {
        name: text for name, text in filled.items() if name in options and options[name].secret and text
    }
    check = sftp_push.checked if export.way == PUSH else checked_login
    kept, secrets = check({**export.settings, **shown}, {**secrets_of(export), **hidden})
    if export.way == PICKUP:
        refuse_taken_login(kept["login"], export_id=export.pk or 0)
    export.settings, export.secrets = kept, json.dumps(secrets)


def _file_name(text: str) -> str:
    if not NAMED.fullmatch(text):
        raise BadSetting(f"'{text}' is no file name that can be used: {COMMON[4].meaning}")
    return text


def _parts(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,\s]+", text) if part.strip()]


def _names(way: str) -> set[str]:
    return {option.name for option in WAYS[way] if not option.secret}


def _as_text(value: object, option: Option) -> str:
    if isinstance(value, list):
        return ("\n" if option.lines else ", ").join(map(str, value))
    return str(value)
