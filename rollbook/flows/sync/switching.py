"""Switching: classes that become groups, or groups that become classes. It is a plan like any other, shown first; no membership is lost."""

from django.db import transaction

from rollbook.engine.sync.policy import Policy, read_policy, written
from rollbook.flows import audit
from rollbook.flows.jobs.turns import ANY_WORKER
from rollbook.flows.sync.connections import over
from rollbook.flows.sync.deciding import out_of_date
from rollbook.flows.sync.progress import keep
from rollbook.flows.sync.runs import POLICY, SWITCH, enqueue
from rollbook.refusal import Refusal
from rollbook.store.models import SyncConnection, SyncRun

FORMS = ("class", "group")


class NothingToSwitch(Refusal):
    """The classes of this sync connection are that already: one switches to class or to group."""


def switch(connection: SyncConnection, form: str, by: str, process: str = ANY_WORKER) -> SyncRun:
    """A preview of the switch; approving it changes the settings too. Raises NothingToSwitch, NotActive, NotEntitled."""
    if form not in FORMS or read_policy(connection.policy).classes.form == form:
        raise NothingToSwitch(form)
    return enqueue(connection, by, SWITCH, preview=True, process=process, form=form)


def policy_for(run: SyncRun) -> Policy:
    """The settings a run is planned by: those that are kept, with what it shows of others in them."""
    given = over(run.connection.policy, run.task.get(POLICY, {}))
    if form := run.task.get("form"):
        given["classes"] = {**given.get("classes", {}), "form": form}
    return read_policy(given)


def keep_switch(run: SyncRun) -> None:
    """The settings say from now on what the run does."""
    if run.task.get("kind") != SWITCH or read_policy(run.connection.policy).classes.form == run.task["form"]:
        return
    with transaction.atomic():
        run.connection.policy = written(policy_for(run))
        run.connection.save(update_fields=["policy"])
        out_of_date(run.connection)
        keep(run, generation=run.connection.generation)
        told = {"form": run.task["form"]}
        audit.record(
            None, "sync.switch", "sync connection", run.connection_id, run.connection.name, after=told
        )
