"""Overview: how the integration of an organization stands, at one glance. What it is connected to, what comes next and who does it, figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.db.models import Count, Model

from rollbook.engine.sync.operations import GROUPS, MEMBERS, MEMBERSHIPS, SITES
from rollbook.flows.sync.runs import FULL, runs_of
from rollbook.flows.sync.schedule import Start, next_starts
from rollbook.flows.sync.spans import additions_end, blackout_end
from rollbook.store.models import (
    Case,
    District,
    Group,
    Invitation,
    Member,
    Membership,
    Organization,
    Site,
    SyncConnection,
    SyncHold,
    SyncRun,
)

RECENT = 5
TABLES: Mapping[str, type[Model]] = {SITES: Site, MEMBERS: Member, GROUPS: Group, MEMBERSHIPS: Membership}


class Step(StrEnum):
    """What comes next for a connection; each has one who does it."""

    TEST = "test"
    ACTIVATION = "activation"
    FIRST = "first"
    WALKING = "walking"
    LOOK = "look"
    DECIDE = "decide"
    NOTHING = "nothing"
    GO_ON = "go-on"
    AGAIN = "again"


@dataclass(frozen=True)
class Overview:
    """`read_at`: when the source was asked for what the directory was last brought in step with. `last` has ended, `under_way` not yet, and
    `waits` was shown or is held. `counts` is {kind: {state: number}} of the whole organization.
    """

    connection: SyncConnection
    step: Step
    district: District | None
    under_way: SyncRun | None
    last: SyncRun | None
    waits: SyncRun | None
    recent: tuple[SyncRun, ...]
    read_at: datetime | None
    next: Start | None
    blackout: date | None
    additions: date | None
    counts: Mapping[str, Mapping[str, int]]
    holds: int
    cases: int

    @property
    def has_succeeded(self) -> bool:
        """From then on it is let to run by itself."""
        return self.connection.first_applied_at is not None


def overview(connection: SyncConnection, now: datetime) -> Overview:
    """How it stands now."""
    recent = tuple(runs_of(connection)[:RECENT])
    under_way = SyncRun.objects.filter(connection=connection, outcome="").order_by("pk").first()
    holds = SyncHold.objects.filter(connection=connection, decision="").count()
    waits = _waits(connection)
    starts = next_starts(connection, now, 1) if connection.state == SyncConnection.State.ACTIVE else []
    return Overview(
        connection=connection,
        step=_step(connection, under_way, waits, holds),
        district=district_of(connection),
        under_way=under_way,
        last=_last(connection),
        waits=waits,
        recent=recent,
        read_at=_read_at(connection),
        next=starts[0] if starts else None,
        blackout=blackout_end(connection, now),
        additions=additions_end(connection, now),
        counts=counts_of(connection.organization),
        holds=holds,
        cases=Case.objects.filter(connection=connection, closed_at=None).count(),
    )


def counts_of(organization: Organization) -> dict[str, dict[str, int]]:
    """How many sites, members, groups and memberships there are, by state."""
    found = {}
    for kind, table in TABLES.items():
        rows = table._default_manager.filter(organization=organization).exclude(state="purged")
        found[kind] = dict(rows.values_list("state").annotate(number=Count("*")).order_by("state"))
    return found


def district_of(connection: SyncConnection) -> District | None:
    """The district of this installation whose roster it is, where it was connected by an invitation."""
    invited = Invitation.objects.filter(connection=connection).select_related("district").first()
    return invited.district if invited else None


def _step(connection: SyncConnection, under_way: SyncRun | None, waits: SyncRun | None, holds: int) -> Step:
    states = SyncConnection.State
    by_state = {
        states.REQUESTED: Step.TEST,
        states.WAITING: Step.ACTIVATION,
        states.PAUSED: Step.GO_ON,
        states.DISCONNECTED: Step.AGAIN,
    }
    if connection.state in by_state:
        return by_state[states(connection.state)]
    if under_way is not None:
        return Step.WALKING
    if connection.first_applied_at is None:
        return Step.LOOK if waits else Step.FIRST
    return Step.DECIDE if holds else Step.NOTHING


def _waits(connection: SyncConnection) -> SyncRun | None:
    """The latest run that was only shown, by the settings as they are, and that no later one has overtaken."""
    latest = runs_of(connection).filter(task__kind=FULL).exclude(outcome="").first()
    if latest is None or latest.outcome != "previewed" or latest.generation != connection.generation:
        return None
    return latest


def _last(connection: SyncConnection) -> SyncRun | None:
    """The last that changed the directory, or found nothing to change, or should have; not one that only showed or looked."""
    ended = runs_of(connection).exclude(outcome__in=("", "previewed"))
    return ended.first()


def _read_at(connection: SyncConnection) -> datetime | None:
    return SyncRun.objects.filter(pk=connection.read_run).values_list("started_at", flat=True).first()
