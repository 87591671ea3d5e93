"""Drive: the job engine, DBOS Transact, which remembers the steps a run has behind it. Nothing else in Rollbook knows it.

What it keeps is only what is needed to go on after a death: on SQLite in `jobs.db` beside the roster, on PostgreSQL in a schema of its own.
The Runs are the truth; without its tables they would be walked anew from the first step, to the same end.
"""

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from dbos import DBOS, DBOSConfig, SetWorkflowID, StepOptions
from django.conf import settings
from django.db import close_old_connections

from rollbook.flows import handing_over
from rollbook.flows.jobs.steps import Step
from rollbook.flows.jobs.walk import walk
from rollbook.flows.progress import OUT_OF_REACH
from rollbook.flows.sync.runs import FOCUS, IMPORT, LOOK
from rollbook.flows.sync.steps import Step as SyncStep
from rollbook.flows.sync.walk import walk as walk_through_sync
from rollbook.store.models import Delivery, Run, SyncRun

QUEUE, DELIVERIES, SYNCS, QUICK_SYNCS = "runs", "deliveries", "syncs", "quick-syncs"
PREFIX = {QUEUE: "run-", DELIVERIES: "delivery-", SYNCS: "sync-", QUICK_SYNCS: "quick-sync-"}
"""What the names of all that goes into a queue begin with."""

QUICK = frozenset({FOCUS, IMPORT, LOOK})
"""Kinds of syncs that somebody sits and waits for: they need not queue behind the night of all others."""

SCHEMA = "rollbook_jobs"
VERSION = "1"
"""Said by hand: the engine's own would be a digest of the code, and what an older one left would never be gone on with."""

OVER = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
POLL = 0.5
RETRIES = 6
"""How often a step is done again while the database is out of reach, each time after twice the seconds."""


@DBOS.workflow(name="run")
def walk_run(run_id: int) -> None:
    walk(run_id, _remembered)


def _remembered(step: Step, run_id: int) -> bool:
    return DBOS.run_step(_options(step.__name__), step, run_id)


@DBOS.workflow(name="sync")
def walk_sync(run_id: int) -> None:
    walk_through_sync(run_id, _sync_remembered)


def _sync_remembered(step: SyncStep, run_id: int) -> bool:
    return DBOS.run_step(_options(step.__name__), step, run_id)


@DBOS.workflow(name="delivery")
def walk_delivery(delivery_id: int) -> None:
    DBOS.run_step(_options("deliver"), _walked, delivery_id)


def _options(name: str) -> StepOptions:
    return {
        "name": name,
        "retries_allowed": True,
        "max_attempts": RETRIES,
        "interval_seconds": 1.0,
        "should_retry": _is_worth_another_try,
    }


def _walked(delivery_id: int) -> bool:
    """A delivery is one step: half of it is nothing."""
    close_old_connections()
    try:
        return handing_over.walk(delivery_id) is not None
    finally:
        close_old_connections()


def _is_worth_another_try(fault: BaseException) -> bool:
    return isinstance(fault, OUT_OF_REACH)


def launch(worker: str, at_once: int) -> None:
    """Starts the engine under this worker's name, until the process ends; it walks so many runs at once."""
    logging.getLogger("dbos").handlers = [logging.NullHandler()]  # else it brings its own; ours has the root
    logging.getLogger("dbos").propagate = True
    config: DBOSConfig = {
        "name": "rollbook",
        "system_database_url": _address(),
        "dbos_system_schema": SCHEMA,
        "application_version": VERSION,
        "executor_id": worker,
        "enable_otlp": False,
        "log_level": "WARNING",
        "sys_db_pool_size": 4,
        "max_executor_threads": 8 * at_once + 6,
        "scheduler_polling_interval_sec": 3600.0,
    }
    DBOS(config=config)
    DBOS.listen_queues(list(PREFIX))
    DBOS.launch()
    # An app's server that falls silent keeps no import waiting, nor does a sync's source.
    for queue in PREFIX:
        DBOS.register_queue(
            queue, worker_concurrency=at_once, polling_interval_sec=POLL, on_conflict="always_update"
        )


def give(run: Run) -> None:
    """Hand over a run that has its turn; one that was handed over is left alone."""
    if not _is_known(name := _name(run)):
        with SetWorkflowID(name):
            DBOS.enqueue_workflow(QUEUE, walk_run, run.pk)


def is_over(run: Run) -> bool:
    """Whether the engine is through with this turn of a run, however that came about."""
    return _is_over(_name(run))


def give_sync(run: SyncRun) -> None:
    """Hand over a sync that has its turn; one that was handed over is left alone."""
    if not _is_known(name := _sync_name(run)):
        with SetWorkflowID(name):
            DBOS.enqueue_workflow(_sync_queue(run), walk_sync, run.pk)


def is_sync_over(run: SyncRun) -> bool:
    """Whether the engine is through with this turn of a sync, however that came about."""
    return _is_over(_sync_name(run))


def _is_known(name: str) -> bool:
    return bool(DBOS.list_workflows(workflow_ids=[name], load_input=False, load_output=False))


def _is_over(name: str) -> bool:
    found = DBOS.list_workflows(workflow_ids=[name], load_input=False, load_output=False)
    return bool(found) and found[0].status in OVER


def give_delivery(delivery: Delivery) -> None:
    """Hand over a delivery whose time it is; one that was handed over is left alone."""
    if not _is_known(name := _attempt(delivery)):
        with SetWorkflowID(name):
            DBOS.enqueue_workflow(DELIVERIES, walk_delivery, delivery.pk)


def is_delivery_over(delivery: Delivery) -> bool:
    """Whether the engine is through with this attempt of a delivery, however that came about."""
    return _is_over(_attempt(delivery))


def resume_those_of_the_dead(alive: Collection[str]) -> list[str]:
    """What was under way in a process that is no more goes on in another; which that were."""
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    orphans = [one.workflow_id for one in pending if one.executor_id not in alive]
    for queue, prefix in PREFIX.items():
        # Named, or they would go on in a queue of the engine's own that knows no limit.
        theirs = [one for one in orphans if one.startswith(prefix)]
        if theirs:
            DBOS.resume_workflows(theirs, queue_name=queue)
    return orphans


def forget_the_old() -> None:
    """Takes away what the engine remembers of turns that are over."""
    over = DBOS.list_workflows(status=list(OVER), load_input=False, load_output=False, limit=500)
    if over:
        DBOS.delete_workflows([one.workflow_id for one in over])


def _name(run: Run) -> str:
    """One name a turn: a run that was held and is applied later has a second one."""
    assert run.turn_at is not None
    return f"{PREFIX[QUEUE]}{run.pk}-{int(run.turn_at.timestamp() * 1000)}"


def _sync_queue(run: SyncRun) -> str:
    return QUICK_SYNCS if run.task.get("kind") in QUICK else SYNCS


def _sync_name(run: SyncRun) -> str:
    """One name a turn, as with runs."""
    assert run.turn_at is not None
    return f"{PREFIX[_sync_queue(run)]}{run.pk}-{int(run.turn_at.timestamp() * 1000)}"


def _attempt(delivery: Delivery) -> str:
    """One name an attempt."""
    return f"{PREFIX[DELIVERIES]}{delivery.pk}-{delivery.attempts}"


def _address() -> str:
    """The URL of the database the engine keeps its tables in."""
    database: dict[str, Any] = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{Path(database['NAME']).with_name('jobs.db')}"
    options = {
        name: str(value)
        for name, value in database["OPTIONS"].items()
        if name not in ("pool", "prepare_threshold", "options")
    }
    host = database["HOST"]
    if host.startswith("/"):
        options["host"], host = host, ""
    whose = ":".join(quote(database[part], safe="") for part in ("USER", "PASSWORD") if database[part])
    where = f"{host}:{database['PORT']}" if database["PORT"] else host
    name = quote(database["NAME"], safe="")
    return f"postgresql+psycopg://{whose}{'@' if whose else ''}{where}/{name}?{urlencode(options)}".rstrip(
        "?"
    )
