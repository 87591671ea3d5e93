"""Tests of exports: whether the packages of an app could be handed over, looked at by a worker and kept, with what is wrong in words.

A test asks another system, which may be silent for long: it waits for nobody's turn, and no page waits for it. It changes nothing, so
that it can be killed at any line and begun again.
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

from django.db import close_old_connections
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from rollbook.flows import exports
from rollbook.flows.exports import export_of, the_export_of
from rollbook.flows.progress import OUT_OF_REACH, TakenOver
from rollbook.refusal import Refusal
from rollbook.store.models import Export, ExportTest, Grant

SUCCESS, FAILED, REPLACED = "success", "failed", "replaced"
KEPT = 5
"""Tests of one app that are kept; the oldest make room."""

AT_ONCE = 4
LOOK = 1.0
PAUSE = timedelta(seconds=30)
"""Who has a test and says nothing for so long behind the patience of its export is taken for dead."""

MOST_TAKINGS = 5
log = logging.getLogger(__name__)


class NoSuchTest(Refusal):
    """There is no such test of this app: it was never made, or it is no longer kept."""


def ask(grant: Grant, by: str) -> ExportTest:
    """A test that waits for a worker, in the place of one that is under way. Raises NoExport."""
    return _made(grant, by)


def test_here(grant: Grant, by: str) -> ExportTest:
    """A test that is walked here, at once. Raises NoExport."""
    return walk(_made(grant, by, alive_until=timezone.now() + PAUSE, phase="running"))


def tests_of(grant: Grant) -> QuerySet[ExportTest]:
    """The latest first."""
    return ExportTest.objects.filter(grant_id=grant.pk).order_by("-pk")


def find_test(grant: Grant, number: int) -> ExportTest:
    """Raises NoSuchTest."""
    found = tests_of(grant).filter(pk=number).first()
    if found is None:
        raise NoSuchTest(str(number))
    return found


def is_of_other_settings(test: ExportTest, export: Export) -> bool:
    """Whether the settings were changed after this test was begun."""
    return export.set_at > test.started_at


def told(test: ExportTest) -> dict[str, Any]:
    """The test for programs: names as in JSON answers."""
    return {
        "test": test.pk,
        "grant": test.grant_id,
        "phase": test.phase,
        "outcome": test.outcome,
        "found": test.found,
        "reason": test.reason,
        "startedBy": test.started_by,
        "startedAt": test.started_at.isoformat(),
        "endedAt": test.ended_at.isoformat() if test.ended_at else None,
    }


def _made(grant: Grant, by: str, **columns: Any) -> ExportTest:
    """A new one; what was under way is over, for it may have asked by other settings."""
    the_export_of(grant)
    open_ones = tests_of(grant).filter(outcome="")
    open_ones.update(outcome=REPLACED, phase="done", ended_at=timezone.now(), fence=F("fence") + 1)
    made = ExportTest.objects.create(
        district_id=grant.district_id, grant_id=grant.pk, started_by=by[:200], **columns
    )
    kept = list(tests_of(grant).values_list("pk", flat=True)[:KEPT])
    tests_of(grant).exclude(pk__in=kept).delete()
    return made


# --- Walking one ------------------------------------------------------------------------------------------------------------------


def walk(test: ExportTest) -> ExportTest:
    """Takes the test and walks it to its end; left as it is where somebody else has it, or it was replaced."""
    try:
        taken = _take(test)
        _look(taken)
    except TakenOver:
        log.info("test %s of an export: it was replaced, or another process has it", test.pk)
    test.refresh_from_db()
    return test


def _take(test: ExportTest) -> ExportTest:
    mine = ExportTest.objects.filter(pk=test.pk, fence=test.fence, outcome="")
    until = timezone.now() + PAUSE
    if not mine.update(fence=F("fence") + 1, phase="running", done=0, known=0, alive_until=until):
        raise TakenOver(str(test.pk))
    return ExportTest.objects.get(pk=test.pk)


def _look(test: ExportTest) -> None:
    grant = Grant.objects.select_related("app", "district").filter(pk=test.grant_id, removed_at=None).first()
    export = export_of(grant) if grant else None
    if grant is None or export is None:
        _end(test, FAILED, exports.NoExport().words)
        return
    patience = timedelta(seconds=int(export.settings.get("timeout_seconds", 0))) + PAUSE

    def tell(done: int, known: int) -> None:
        _change(test, done=done, known=known, alive_until=timezone.now() + patience)

    try:
        found = exports.test_export(grant, tell)
    except (TakenOver, *OUT_OF_REACH):
        raise
    except Refusal as refusal:
        _end(test, FAILED, refusal.words)
    except Exception as fault:
        # Who looks at the test is told; the worker goes on with those of other apps.
        log.exception("test %s of an export", test.pk)
        _end(test, FAILED, f"{type(fault).__name__}: the fault is ours, and it is in the log.")
    else:
        _end(test, SUCCESS, "", found)


def _change(test: ExportTest, **columns: object) -> None:
    """Raises TakenOver."""
    if not ExportTest.objects.filter(pk=test.pk, fence=test.fence, outcome="").update(**columns):
        raise TakenOver(str(test.pk))


def _end(test: ExportTest, outcome: str, reason: str, found: list[str] | None = None) -> None:
    """Raises TakenOver."""
    _change(test, outcome=outcome, reason=reason, found=found or [], phase="done", ended_at=timezone.now())


# --- In a worker ------------------------------------------------------------------------------------------------------------------


def keep_testing(stop: Event) -> None:
    """Walks what waits, several at a time, until `stop` is set: one server that is silent keeps no other waiting."""
    given: dict[int, Future[None]] = {}
    with ThreadPoolExecutor(AT_ONCE) as hands:
        while not stop.is_set():
            close_old_connections()
            given = {number: walking for number, walking in given.items() if not walking.done()}
            try:
                given |= {one.pk: hands.submit(_walked, one) for one in waiting() if one.pk not in given}
            except OUT_OF_REACH:
                # The roster may be closed while an import is applied: what waits, waits a little longer.
                log.info("the database does not answer; looking again")
            except Exception:
                # A worker that ended here would look at none again.
                log.exception("looking for tests of exports")
            close_old_connections()
            stop.wait(LOOK)


def waiting() -> list[ExportTest]:
    """What nobody has yet, or whose process is taken for dead. One that was begun again and again has failed."""
    dead = Q(phase="running", alive_until__lt=timezone.now())
    found = list(ExportTest.objects.filter(Q(phase="waiting") | dead, outcome="").order_by("pk"))
    for tired in (one for one in found if one.fence >= MOST_TAKINGS):
        _give_up(tired)
    return [one for one in found if one.fence < MOST_TAKINGS]


def _give_up(test: ExportTest) -> None:
    try:
        _end(test, FAILED, "It was begun again and again and never came to its end.")
    except TakenOver:
        log.info("test %s of an export: it was replaced", test.pk)


def _walked(test: ExportTest) -> None:
    close_old_connections()
    try:
        walk(test)
    except OUT_OF_REACH:
        log.info("test %s of an export: the database does not answer", test.pk)
    finally:
        close_old_connections()
