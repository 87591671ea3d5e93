"""A sync connection in words: what it is connected to, its state, what comes next and who does it, when it begins by itself."""

from dataclasses import dataclass
from typing import Any

from django.utils.dates import WEEKDAYS
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollbook.console.imports import Badge
from rollbook.console.organization.words import CONNECTION_STATES, badge
from rollbook.engine.sync import timing
from rollbook.engine.sync.policy import Timing
from rollbook.flows.sync.overview import Overview, Step, district_of
from rollbook.flows.sync.pauses import host_of
from rollbook.store.models import SyncConnection

SOURCES: dict[str, Any] = {
    "oneroster_rest": gettext_lazy("OneRoster server"),
    "partner_listing": gettext_lazy("Roster hub, by partner key"),
    "sftp_pull": gettext_lazy("CSV files on an SFTP server"),
    "folder": gettext_lazy("CSV files on this server"),
    "own_folder": gettext_lazy("CSV files in your folder on this server"),
}

WALK = ("requested", "waiting", "active")
"""The states on the way to the first sync."""

NEXT: dict[Step, tuple[Any, Any]] = {
    Step.TEST: (
        gettext_lazy("Its source was not reached yet."),
        gettext_lazy("You test the connection. Once its source answers, it waits to be activated."),
    ),
    Step.ACTIVATION: (
        gettext_lazy("Its source answers. Nothing is read before it is activated."),
        gettext_lazy(
            "Product support activates it: there is nothing for you to do meanwhile. If it takes long, ask for help."
        ),
    ),
    Step.FIRST: (
        gettext_lazy("It is active, and has changed nothing yet."),
        gettext_lazy("You begin the first sync. It is only shown; what it would do is yours to approve."),
    ),
    Step.WALKING: (
        gettext_lazy("A sync is under way."),
        gettext_lazy("Nobody has to do anything. It goes on if you leave."),
    ),
    Step.LOOK: (
        gettext_lazy("The first sync was shown. Nothing has changed yet."),
        gettext_lazy("You look at it, then begin it, or change the mapping and the settings first."),
    ),
    Step.DECIDE: (
        gettext_lazy(
            "A part of what the source says is held: it would remove more than your limits let through. Everything else was carried out."
        ),
        gettext_lazy("You look at what is held and decide."),
    ),
    Step.NOTHING: (
        gettext_lazy("It keeps the directory in step with its source."),
        gettext_lazy("Nobody has to do anything."),
    ),
    Step.GO_ON: (
        gettext_lazy("Nothing begins while it is paused; what it brought stays as it is."),
        gettext_lazy("You let it go on, when you want it to."),
    ),
    Step.AGAIN: (
        gettext_lazy(
            "It reads nothing any more. Members, classes and sites stay, and it still knows who is who."
        ),
        gettext_lazy(
            "If you connect it again, it is tested and activated like the first time, and finds everybody."
        ),
    ),
}
"""How it is, and what happens next, with who does it."""


@dataclass(frozen=True)
class Stated:
    """A connection as it is listed and headed. `source` is what it is connected to; `next` names who does it."""

    connection: SyncConnection
    state: Badge
    source: str
    now: Any
    next: Any


def stated(seen: Overview) -> Stated:
    """The connection of this overview, in words."""
    now, comes = NEXT[seen.step]
    return Stated(
        seen.connection,
        badge(CONNECTION_STATES, seen.connection.state),
        source_words(seen.connection),
        now,
        comes,
    )


def source_words(connection: SyncConnection) -> str:
    """Which roster it is connected to. No path of the server is told."""
    district = district_of(connection)
    if district is not None:
        return _("%(district)s (Tenant ID %(tenant)s), on this installation") % {
            "district": district.name,
            "tenant": district.pk,
        }
    kind = SOURCES.get(connection.source_kind, connection.source_kind)
    host = host_of(connection)
    tenant = connection.source_settings.get("tenant")
    if tenant:
        return _("The district with the Tenant ID %(tenant)s at %(host)s") % {"tenant": tenant, "host": host}
    return f"{kind}: {host}" if host else str(kind)


def timing_words(times: Timing) -> str:
    """When it begins by itself, as the settings say it."""
    if times.every == timing.BY_HAND:
        return _("Only when somebody begins it")
    if times.every == timing.CRON:
        return _("By the calendar expression “%(cron)s”") % {"cron": times.cron}
    pattern = timing.pattern_of(times.every, times.at, times.weekday, times.day, times.cron)
    told = {
        "time": time_format(pattern.times[0], "TIME_FORMAT") if pattern else times.at,
        "weekday": WEEKDAYS[times.weekday],
        "day": times.day,
    }
    if times.every == timing.WEEK:
        return _("Every week on %(weekday)s at %(time)s") % told
    if times.every == timing.MONTH:
        return _("Every month on day %(day)s at %(time)s") % told
    return _("Every night at %(time)s") % told
