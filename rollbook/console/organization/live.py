"""How far a sync run is, in words; and the stream of events that keeps its page up to date while it runs.

A stream takes a thread of the server while it lasts: it ends by itself, and only so many are open at a time (docs/decisions/0029).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connections
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rollbook.console.organization.words import PHASES
from rollbook.console.progress import left_words
from rollbook.flows.sync.standing import Standing, standing
from rollbook.store.models import SyncRun

LASTS, LOOK = 20.0, 1.0
"""Seconds: of a stream, and between two looks."""

SOON, LATER = 500, 2_000
"""Milliseconds after which a page comes back: of one that was kept up to date, and of one for which there was no room."""

NOW, OVER = "now", "over"
"""The events: a piece of the page, and the word to load it anew."""

ROOM = BoundedSemaphore(max(settings.STREAMS, 1))
"""Of this process."""

COUNTED = frozenset({"reading", "planning", "applying", "verifying"})
"""Phases that count something; of a source nobody knows how much there will be."""


@dataclass(frozen=True)
class Walk:
    """`step` is what it does now, `counted` how much of that, `left` how long it may take; all in words."""

    run: SyncRun
    standing: Standing
    step: Any
    counted: str
    left: str

    @property
    def has_bar(self) -> bool:
        """One that waits for others, or for its source, is not under way."""
        return not (self.standing.ahead or self.standing.not_before or self.standing.nobody_works)


def walk_of(run: SyncRun) -> Walk:
    """Where the run stands."""
    now = standing(run)
    return Walk(run, now, step_words(now), _counted(now), left_words(now.seconds_left))


def events(run: SyncRun) -> Iterator[str]:
    """What the page of this run is told, until the run ends or the stream does; then the page asks for another."""
    language, zone = translation.get_language(), ZoneInfo(run.organization.time_zone)
    return stream(lambda: _piece(run.pk, language or settings.LANGUAGE_CODE, zone))


def stream(look: Callable[[], tuple[str, str]], lasts: float = LASTS) -> Iterator[str]:
    """Server-sent events: what `look` finds (event, data), whenever that is another than before. Without room for it, one event."""
    stays = settings.STREAMS > 0 and ROOM.acquire(blocking=False)
    try:
        yield f"retry: {SOON if stays else LATER}\n\n"
        until, last = time.monotonic() + lasts, ("", "")
        while True:
            found = look()
            _give_back()
            # A line that says nothing is how the server learns that nobody listens any more.
            yield _event(*found) if found != last else ":\n\n"
            last = found
            if found[0] == OVER or not stays or time.monotonic() >= until:
                return
            time.sleep(LOOK)
    finally:
        if stays:
            ROOM.release()


def _piece(run_id: int, language: str, zone: ZoneInfo) -> tuple[str, str]:
    found = SyncRun.objects.select_related("connection", "organization").filter(pk=run_id).first()
    if found is None or found.outcome:
        return OVER, ""
    with translation.override(language), timezone.override(zone):
        return NOW, render_to_string("organization/run_now.html", {"walk": walk_of(found)})


def _event(name: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\n{lines}\n"


def _give_back() -> None:
    """No connection to a database is kept while the stream sleeps."""
    for one in connections.all(initialized_only=True):
        if not one.in_atomic_block:
            one.close()


def step_words(now: Standing) -> Any:
    """What a run that has not ended does now."""
    if now.cancelled_by:
        return _("Cancelling: it ends between two batches. What it did until then stays.")
    if now.not_before:
        return _("Waiting: the source asked for time. It goes on by itself.")
    if now.nobody_works:
        return _("Waiting: no worker is running here. Whoever runs this installation can start one.")
    if now.ahead:
        return ngettext(
            "Waiting: %(number)s other sync of this organization comes first.",
            "Waiting: %(number)s other syncs of this organization come first.",
            now.ahead,
        ) % {"number": now.ahead}
    return PHASES.get(now.phase, now.phase)


def _counted(now: Standing) -> str:
    if now.phase not in COUNTED or not now.done:
        return ""
    if now.known:
        return _("%(done)s of %(known)s in this step") % {
            "done": _number(now.done),
            "known": _number(now.known),
        }
    return _("%(done)s in this step") % {"done": _number(now.done)}


def _number(value: int) -> str:
    """As the reader writes it."""
    return str(number_format(value, force_grouping=True))
