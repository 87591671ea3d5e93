"""The three steps of a sync run: read the source, plan, act. Each takes the run first, and can be done again; whoever drives them calls them.

What is planned already is not planned again: a preview or a held part that somebody approved is carried out from the plan they saw.
"""

import gc
import logging
from collections.abc import Callable

from django.db import close_old_connections
from django.db.models import F

from rollbook.connectors.contract import AskedToWait, ConnectorRefusal
from rollbook.engine.package import NotAPackage
from rollbook.flows.progress import OUT_OF_REACH, Cancelled, TakenOver
from rollbook.flows.sync import acting, planning, reading
from rollbook.flows.sync.cancel import cancelled_words
from rollbook.flows.sync.pauses import LeftAlone, leave_alone
from rollbook.flows.sync.progress import end, wait_until
from rollbook.refusal import Refusal
from rollbook.store.models import SyncRun

YOUNG = 50_000
"""So many things are made before circles among them are looked for: millions are made in a sync, and nearly all go by counting. Looking after
every 700, as Python does if nobody says otherwise, took a quarter of the time.
"""

MOST_TAKINGS = 40
"""So often may a run be taken before it is believed to be what its processes die of."""

log = logging.getLogger(__name__)

Step = Callable[[int], bool]
"""Does its part of the run with this number; whether the run goes on."""


def read(run_id: int) -> bool:
    """The source's whole state lies on the shelf."""
    return _step(run_id, reading.read)


def plan(run_id: int) -> bool:
    """The plan lies on the shelf, and what is hazardous in it is known."""
    return _step(run_id, planning.plan)


def act(run_id: int) -> bool:
    """What may be is carried out and verified; the run has ended."""
    return _step(run_id, acting.act)


def _step(run_id: int, work: Callable[[SyncRun], None]) -> bool:
    close_old_connections()
    _collect_rarely()
    try:
        run = _take(run_id)
        if run is None:
            return False
        return _do(run, work) and not run.outcome
    except TakenOver:
        log.warning("sync run %s: another process has taken it over", run_id)
        return False
    finally:
        close_old_connections()


def _collect_rarely() -> None:
    """From now on, in this process."""
    often, *others = gc.get_threshold()
    if 0 < often < YOUNG:
        gc.set_threshold(YOUNG, *others)


def _take(run_id: int) -> SyncRun | None:
    """The run, taken; None where there is nothing left to do."""
    SyncRun.objects.filter(pk=run_id, outcome="").update(fence=F("fence") + 1)
    found = SyncRun.objects.filter(pk=run_id, outcome="")
    run = found.select_related("connection", "organization__product").first()
    if run and run.fence > MOST_TAKINGS:
        end(run, "failed", "It was begun again and again and never came to its end.")
        return None
    return run


def _do(run: SyncRun, work: Callable[[SyncRun], None]) -> bool:
    """Whether it is done: not where the source wants time. What is refused ends the run in words, and so does a fault, which is logged; the
    database out of reach is a reason to do it again.
    """
    try:
        work(run)
    except (TakenOver, *OUT_OF_REACH):
        raise
    except Cancelled:
        end(run, "cancelled", cancelled_words(run))
    except LeftAlone as pause:
        wait_until(run, pause.until, pause.words)
        return False
    except AskedToWait as asked:
        asks = leave_alone(run.connection, asked.host, asked.seconds)
        wait_until(run, asks.until, asks.words)
        return False
    except ConnectorRefusal as refusal:
        end(run, "failed", refusal.words)
    except (Refusal, NotAPackage) as refusal:
        end(run, "refused", getattr(refusal, "words", str(refusal)))
    except Exception as fault:
        # Who looks at the run is told; the worker goes on with those of other organizations.
        log.exception("sync run %s", run.pk)
        end(
            run,
            "failed",
            f"{type(fault).__name__} while {run.phase}. The next run goes on from what is there.",
        )
    return True
