"""The steps a connection prepares its deliveries by: the version that holds, those before it, and the draft somebody is working on."""

import hashlib
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from rollbook.engine.preparation.steps import Step, steps_of, written
from rollbook.flows import audit
from rollbook.flows.severities import WhyNeeded
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, Preparation, Run


class NoSuchVersion(Refusal):
    """This connection has no such version of its steps: `rollbook prepare versions` lists them."""


class NoDraft(Refusal):
    """There are no changed steps to decide about. Change the steps first."""


class ChangedMeanwhile(Refusal):
    """Somebody else has changed these steps meanwhile. Look at them as they are now, and try again."""


PREPARATION = "preparation"
"""The flow of a run that shows what other steps would change, and what its task is called."""


def versions_of(connection: Connection) -> QuerySet[Preparation]:
    """All that were saved, the one that holds in front."""
    return Preparation.objects.filter(connection=connection, number__isnull=False).order_by("-number")


def version_of(connection: Connection) -> Preparation | None:
    """The version that holds; None where deliveries are taken as they come."""
    return versions_of(connection).first()


def find_version(connection: Connection, number: int) -> Preparation:
    """Raises NoSuchVersion."""
    found = versions_of(connection).filter(number=number).first()
    if found is None:
        raise NoSuchVersion(str(number))
    return found


def version_for(run: Run) -> Preparation | None:
    """The version by which the delivery of this run is prepared: the draft it shows, or the one that holds now."""
    assert run.connection is not None
    if run.task.get("kind") == PREPARATION:
        return Preparation.objects.filter(preview=run).first()
    return version_of(run.connection)


def steps_by(version: Preparation | None) -> tuple[Step, ...]:
    """The steps of a version; none where there is none."""
    return steps_of(version.steps) if version else ()


def steps_for(connection: Connection) -> tuple[Step, ...]:
    """The steps that hold for a connection now."""
    return steps_by(version_of(connection))


def draft_of(connection: Connection) -> Preparation | None:
    """The steps somebody is working on, with the run that shows what they would change, if that was asked for."""
    return (
        Preparation.objects.filter(connection=connection, number=None).select_related("preview__plan").first()
    )


def drafted_steps(connection: Connection) -> tuple[Step, ...]:
    """The steps of the draft, or those that hold where there is none."""
    draft = draft_of(connection)
    return steps_by(draft) if draft else steps_for(connection)


def mark_of(steps: Sequence[Step]) -> str:
    """A short word that is another for other steps: who sends it back has seen these."""
    return hashlib.sha256(written(steps).encode()).hexdigest()[:16]


def draft_steps(
    connection: Connection, steps: Sequence[Step], by: str, seen: str | None = None
) -> Preparation | None:
    """Keep other steps as a draft, which changes nothing yet; None where they are those that hold, and then there is no draft any more.

    `seen` is the mark of the steps that were changed. Raises ChangedMeanwhile.
    """
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        if seen is not None and seen != mark_of(drafted_steps(connection)):
            raise ChangedMeanwhile(connection.name)
        drop_draft(connection)
        if tuple(steps) == steps_for(connection):
            return None
        return Preparation.objects.create(
            district_id=connection.district_id,
            connection=connection,
            steps=[step.as_dict() for step in steps],
            by=by[:200],
            at=timezone.now(),
        )


def drop_draft(connection: Connection) -> None:
    """The draft is forgotten; so is the plan that showed it."""
    draft = draft_of(connection)
    if draft is None:
        return
    if draft.preview_id:
        shown = Run.objects.filter(pk=draft.preview_id, outcome="previewed")
        shown.update(outcome="declined", message="The steps it shows were dropped or changed again.")
    draft.delete()


def save_draft(draft: Preparation, by: str, why: str) -> Preparation:
    """Make the draft the version that holds from the next delivery on. Raises WhyNeeded, NoDraft."""
    if not why.strip():
        raise WhyNeeded
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=draft.connection_id)
        last = Preparation.objects.filter(connection=draft.connection_id).aggregate(Max("number"))[
            "number__max"
        ]
        columns = {"number": (last or 0) + 1, "by": by[:200], "why": why.strip(), "at": timezone.now()}
        if not Preparation.objects.filter(pk=draft.pk, number=None).update(**columns):
            raise NoDraft
        after = {"version": columns["number"], "why": why.strip()}
        audit.record(draft.district_id, "steps.save", "connection", draft.connection_id, after=after, by=by)
    draft.refresh_from_db()
    return draft
