"""Supporting: a product's own staff over all its organizations' sync connections, who waits for them first. No name of a person is in any of
it: people are shown only after a reason was given, which the audit log keeps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When

from rollbook.flows import audit
from rollbook.flows.sync.connections import State
from rollbook.flows.sync.holds import WhyNeeded
from rollbook.refusal import Refusal
from rollbook.store.models import Case, HelpRequest, Invitation, Product, SyncConnection, SyncHold, SyncRun

PAGE = 50
WAITS, FAILS, OTHERS = 1, 2, 3
"""Who comes first: who waits for support, then what fails, then all others."""

FAILED = ("failed", "refused")
LAST_RUNS = 10


class NoSuchCustomer(Refusal):
    """The product has no sync connection of this number."""


@dataclass(frozen=True)
class Customer:
    """A sync connection as support sees it. `tenant` is the Tenant ID that was given, empty where none was; `questions` wait for an answer."""

    connection: SyncConnection
    rank: int
    tenant: str
    last: SyncRun | None
    questions: int
    holds: int
    cases: int


def customers(product: Product, search: str = "", after: tuple[int, int] | None = None) -> list[Customer]:
    """The connections behind a place (rank, number), of organizations and connections with all words of `search` in their names, or the
    Tenant ID; one more than PAGE where there are more.
    """
    found: Any = _ranked(product)  # with a column that its model does not have
    for word in search.split():
        found = found.filter(_like(word))
    if after is not None:
        found = found.filter(Q(rank__gt=after[0]) | Q(rank=after[0], pk__gt=after[1]))
    return _told(list(found.order_by("rank", "pk")[: PAGE + 1]))


def _like(word: str) -> Q:
    found = Q(organization__name__icontains=word) | Q(name__icontains=word) | Q(source_settings__tenant=word)
    if word.isascii() and word.isdecimal() and len(word) < 10:
        invited = Invitation.objects.filter(connection=OuterRef("pk"), district_id=int(word))
        found |= Q(Exists(invited))
    return found


def find_customer(product: Product, number: int) -> Customer:
    """Raises NoSuchCustomer."""
    found = _ranked(product).filter(pk=number).first()
    if found is None:
        raise NoSuchCustomer(str(number))
    return _told([found])[0]


def numbers(product: Product) -> dict[int, int]:
    """How many connections there are of each rank."""
    ranked: Any = _ranked(product)
    found = ranked.order_by().values("rank").annotate(number=Count("pk"))
    return dict.fromkeys((WAITS, FAILS, OTHERS), 0) | {one["rank"]: one["number"] for one in found}


def last_runs(connection: SyncConnection) -> list[SyncRun]:
    """The latest first."""
    return list(SyncRun.objects.filter(connection=connection).order_by("-pk")[:LAST_RUNS])


def look(connection: SyncConnection, by: str, why: str) -> None:
    """Somebody of the support looks at people of this connection: who, and for what reason, is kept. Raises WhyNeeded."""
    reason = why.replace("\0", "").strip()[:500]
    if not reason:
        raise WhyNeeded(str(connection.pk))
    told = {"why": reason, "organization": connection.organization_id}
    audit.record(None, "support.look", "sync connection", connection.pk, connection.name, after=told, by=by)


def _ranked(product: Product) -> QuerySet[SyncConnection]:
    asks = HelpRequest.objects.filter(connection=OuterRef("pk"), answered_at__isnull=True)
    any_run = SyncRun.objects.filter(connection=OuterRef("pk")).order_by("-pk")
    last = any_run.exclude(outcome="")
    here = SyncConnection.objects.filter(organization__product=product).select_related(
        "organization__product"
    )
    return here.annotate(
        last_outcome=Subquery(last.values("outcome")[:1]), last_run=Subquery(any_run.values("pk")[:1])
    ).annotate(
        rank=models.Case(
            When(Q(state=State.WAITING) | Exists(asks), then=Value(WAITS)),
            When(Q(last_outcome__in=FAILED) & ~Q(state=State.DISCONNECTED), then=Value(FAILS)),
            default=Value(OTHERS),
            output_field=IntegerField(),
        )
    )


def _told(rows: Sequence[Any]) -> list[Customer]:
    ids = [one.pk for one in rows]
    last = SyncRun.objects.in_bulk([one.last_run for one in rows if one.last_run])
    invited = _invited(ids)
    questions = _counted(HelpRequest.objects.filter(connection__in=ids, answered_at__isnull=True))
    holds = _counted(SyncHold.objects.filter(connection__in=ids, decision=""))
    cases = _counted(Case.objects.filter(connection__in=ids, closed_at=None))
    return [
        Customer(
            one, one.rank, tenant_of(one, invited), last.get(one.last_run), questions.get(one.pk, 0), holds.get(one.pk, 0),
            cases.get(one.pk, 0),
        )
        for one in rows
    ]  # fmt: skip


def _counted(found: QuerySet[HelpRequest] | QuerySet[SyncHold] | QuerySet[Case]) -> dict[int, int]:
    return dict(found.order_by().values_list("connection_id").annotate(Count("pk")))


def _invited(ids: Sequence[int]) -> dict[int, int]:
    """{connection: the district that was invited for it}"""
    found = Invitation.objects.filter(connection__in=ids).order_by("pk")
    return {
        connection: district
        for connection, district in found.values_list("connection_id", "district_id")
        if connection
    }


def tenant_of(connection: SyncConnection, invited: Mapping[int, int]) -> str:
    """The Tenant ID that the organization gave: that of the hub, or of the district here that it invited."""
    return str(connection.source_settings.get("tenant") or invited.get(connection.pk, ""))
