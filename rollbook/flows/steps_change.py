"""Changing steps: tried on rows of the last delivery, shown as a plan, then saved and applied, saved for the next import, or dropped."""

from collections.abc import Callable, Sequence
from pathlib import Path

from django.db import transaction

from rollbook.engine.preparation.steps import Step
from rollbook.engine.preparation.trial import Tried, try_steps
from rollbook.flows.ingest import Prepared, begin, plan
from rollbook.flows.limits import APPLIED
from rollbook.flows.preparation import PREPARATION, draft_of, drop_draft, save_draft
from rollbook.flows.previews import PREVIEWED, apply_preview, preview, refuse_unappliable
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.models import Connection, Hold, Preparation, Run, Snapshot
from rollbook.work_folders import work_folder


class NothingToTry(Refusal):
    """No delivery of this connection is kept: import one first, then its rows show what the steps do."""


class NothingToShow(Refusal):
    """The roster is not as a delivery of this connection left it, so there is nothing to compare with. Save the steps for the next import."""


class ShowFirst(Refusal):
    """Look at what these steps would change before you save them: preview them as a plan."""


class HoldFirst(Refusal):
    """A delivery of this connection waits for a decision. Decide about it first, or save the steps for the next import."""


def try_on_last(connection: Connection, steps: Sequence[Step]) -> list[Tried]:
    """What the steps do to the last delivery that is kept. Raises NothingToTry, NotAPackage."""
    delivery = last_kept(connection)
    with work_folder("steps") as work:
        return try_steps(delivery, work, steps)


def last_kept(connection: Connection) -> Path:
    """The last delivery of a connection that is kept. Raises NothingToTry."""
    kept = Snapshot.objects.filter(connection=connection, removed_at=None).order_by("-received_at", "-pk")
    snapshot = kept.first()
    if snapshot is None or not shelf.place(snapshot.shelf_name).exists():
        raise NothingToTry(connection.name)
    return shelf.place(snapshot.shelf_name)


def last_delivery(connection: Connection) -> Snapshot | None:
    """The delivery that the connection's records are as of now; None where there is none, or it was taken back, or is not kept."""
    applied = Run.objects.filter(connection=connection, outcome__in=APPLIED).select_related("snapshot")
    last = applied.order_by("-ended_at", "-pk").first()
    if last is None or last.flow == "undo" or last.snapshot is None or last.snapshot.removed_at:
        return None
    return last.snapshot


def begin_showing(draft: Preparation, by: str, **about: object) -> Run:
    """The run that plans the last delivery anew with the steps of the draft. Raises NothingToShow."""
    connection = draft.connection
    snapshot = last_delivery(connection)
    if snapshot is None:
        raise NothingToShow(connection.name)
    with transaction.atomic():
        _let_go_of(draft)
        task = {"kind": PREPARATION, "preview": True}
        run = begin(
            connection, by, **{"phase": "kept", **about}, flow=PREPARATION, task=task, snapshot=snapshot
        )
        Preparation.objects.filter(pk=draft.pk).update(preview=run)
    draft.refresh_from_db()
    return run


def show_change(draft: Preparation, by: str) -> Prepared:
    """What the steps of the draft would change, planned here and now. Raises NothingToShow, NotAPackage."""
    prepared = plan(begin_showing(draft, by))
    preview(prepared)
    draft.refresh_from_db()
    return prepared


def save_and_apply(
    draft: Preparation, by: str, why: str, apply_it: Callable[[Run, str], Run] = apply_preview
) -> Run:
    """The steps hold from now on, and what they change is applied as it was shown; the limits may hold that plan.

    Raises ShowFirst, HoldFirst, WhyNeeded, NoDraft; StaleBasis where the roster has changed since it was shown.
    """
    if draft.preview is None or draft.preview.outcome != PREVIEWED:
        raise ShowFirst
    if Hold.objects.filter(run__connection=draft.connection_id, decision="").exists():
        raise HoldFirst
    with transaction.atomic():
        save_draft(draft, by, why)
        refuse_unappliable(draft.preview)
    return apply_it(draft.preview, by)


def save_for_next(draft: Preparation, by: str, why: str) -> Preparation:
    """The steps hold from the next import on; what is served stays until then. Raises ShowFirst, WhyNeeded, NoDraft."""
    if last_delivery(draft.connection) and (draft.preview is None or draft.preview.outcome != PREVIEWED):
        raise ShowFirst
    return save_draft(draft, by, why)


def drop(connection: Connection) -> bool:
    """The draft is forgotten, and nothing was changed; whether there was one."""
    was_there = draft_of(connection) is not None
    drop_draft(connection)
    return was_there


def _let_go_of(draft: Preparation) -> None:
    """What was shown before is out of date once the same steps are shown again."""
    if draft.preview_id:
        shown = Run.objects.filter(pk=draft.preview_id, outcome=PREVIEWED)
        shown.update(outcome="declined", message="It was shown again.")
