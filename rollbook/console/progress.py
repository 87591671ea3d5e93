"""How far a run is, as the console shows it: the step in words, a bar, rows, and the time that is left."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rollbook.console.words import PHASES
from rollbook.flows.jobs.standing import Standing, standing
from rollbook.store.models import Run


@dataclass(frozen=True)
class ShownProgress:
    """`step` is what it does now, `left` how long it may take; both in words."""

    run: Run
    standing: Standing
    step: Any
    left: str


def shown_progress(run: Run) -> ShownProgress | None:
    """None where the run has come to its end."""
    if run.outcome:
        return None
    now = standing(run)
    return ShownProgress(run, now, _step(now), "" if now.ahead else left_words(now.seconds_left))


def _step(now: Standing) -> Any:
    if now.cancelled_by:
        return _("Cancelling: it ends at the next safe point.")
    if now.ahead:
        return ngettext(
            "Waiting: %(number)s other import of this district comes first.",
            "Waiting: %(number)s other imports of this district come first.",
            now.ahead,
        ) % {"number": now.ahead}
    return PHASES.get(now.phase, now.phase)


def left_words(seconds: int | None) -> str:
    """How long it may still take; empty where nobody knows."""
    if seconds is None:
        return ""
    if seconds < 60:
        return _("Less than a minute left, if it takes as long as the last one.")
    minutes = round(seconds / 60)
    return ngettext(
        "About %(number)s minute left, if it takes as long as the last one.",
        "About %(number)s minutes left, if it takes as long as the last one.",
        minutes,
    ) % {"number": minutes}
