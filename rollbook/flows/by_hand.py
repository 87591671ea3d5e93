"""One operation of a person on a directory, and what is remembered of it as an override: who set it, why, and until when."""

from datetime import date

from django.db.models import QuerySet
from django.utils import timezone

from rollbook.engine.sync.operations import CONFLICT, REJECT, Operation
from rollbook.flows.acting import actor
from rollbook.flows.directory import BY_HAND
from rollbook.refusal import Refusal
from rollbook.store.directory import DirectoryTarget
from rollbook.store.models import Organization, Override


class NotADay(Refusal):
    """This is not a day: write it as 2027-06-30."""


class ValueRefused(Refusal):
    """The directory does not take this value."""

    @property
    def words(self) -> str:
        return f"The directory does not take this: {self.args[0]}"


class ChangedMeanwhile(Refusal):
    """This has changed since you looked: look again."""


class NothingByHand(Refusal):
    """Nothing is set by hand here: it follows the roster already."""


def carry_out(organization: Organization, operation: Operation) -> str:
    """The id of the record it was. Raises ChangedMeanwhile, ValueRefused."""
    (outcome,) = DirectoryTarget(organization, BY_HAND).apply([operation])
    if outcome.status == CONFLICT:
        raise ChangedMeanwhile
    if outcome.status == REJECT:
        raise ValueRefused(outcome.words)
    return outcome.target


def overrides(organization: Organization, kind: str, target: str) -> QuerySet[Override]:
    """What is set by hand of a record, and not ended."""
    return Override.objects.filter(
        organization=organization, connection_id=BY_HAND, kind=kind, target=target, ended_at=None
    )


def set_override(organization: Organization, kind: str, target: str, told: Override) -> None:
    """Remembers `told` (field, value, mode, why, until), by who acts, in the place of what was set of this field. Raises NotADay."""
    end_override(organization, kind, target, told.field)
    told.organization, told.kind, told.target = organization, kind, target
    told.value = list(told.value) if isinstance(told.value, tuple) else told.value
    told.until, told.why = _day(told.until), told.why.strip()[:500]
    told.by, told.made_at = actor().name[:200], timezone.now()
    told.save(force_insert=True)


def end_override(organization: Organization, kind: str, target: str, name: str) -> int:
    """What was set of this field holds no more; how many that were."""
    stood = overrides(organization, kind, target).filter(field=name)
    return stood.update(ended_at=timezone.now(), ended_by=actor().name[:200])


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise NotADay(text) from None
