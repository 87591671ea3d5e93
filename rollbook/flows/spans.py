"""Spans: days on which a district's deliveries are kept (a blackout) or only add. Added and removed by people.

The district's clock decides what day it is. What is entered by hand is no delivery: spans are not meant for it.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from rollbook.engine.calendar import Days, local_day, stretch_end
from rollbook.flows import audit
from rollbook.flows.districts import MANUAL
from rollbook.flows.notify import calendar_address, tell_operators
from rollbook.refusal import Refusal
from rollbook.store.models import Connection, District, Plan, Run, Span

BLACKOUT, ADDITIONS = Span.Kind.BLACKOUT, Span.Kind.ADDITIONS
KEPT = "kept"
"""The outcome of a run whose delivery waits for the end of a blackout."""

LONGEST = timedelta(days=366)
TELL_FROM = 7
"""The hour of the district's day from which its operators are told."""


class NoSuchSpan(Refusal):
    """There is no such blackout or range of additions only, or it was removed."""


class BadDays(Refusal):
    """The first day comes first, the last day is not over yet, and from one to the other is a year at most."""


def zone_of(district: District) -> ZoneInfo:
    return ZoneInfo(district.time_zone)


def today_of(district: District, now: datetime | None = None) -> date:
    """Which day it is by the district's clock."""
    return local_day(now or timezone.now(), zone_of(district))


def add_span(
    district: District,
    kind: str,
    first: date,
    last: date,
    by: str,
    *,
    connection: Connection | None = None,
    why: str = "",
) -> Span:
    """Days from `first` to `last`, both among them; of one connection, or of all. Raises BadDays."""
    if not first <= last <= first + LONGEST or last < today_of(district):
        raise BadDays(f"{first} – {last}")
    with transaction.atomic():
        span = Span.objects.create(
            district=district,
            connection=connection,
            kind=Span.Kind(kind),
            first_day=first,
            last_day=last,
            why=why.strip()[:200],
            added_by=by,
        )
        after = {
            "kind": kind,
            "first": first,
            "last": last,
            "connection": connection and connection.pk,
            "why": span.why,
        }
        audit.record(district.pk, "calendar.add_days", "days", span.pk, after=after)
    return span


def find_span(district: District, number: int, kind: str = "") -> Span:
    """Raises NoSuchSpan."""
    found = spans_of(district, kind).filter(pk=number).first()
    if found is None:
        raise NoSuchSpan(str(number))
    return found


def remove_span(span: Span, by: str) -> None:
    """It no longer counts; that there was one stays known. Raises NoSuchSpan where somebody was faster."""
    here = Span.objects.filter(pk=span.pk, removed_at__isnull=True)
    with transaction.atomic():
        if not here.update(removed_by=by, removed_at=timezone.now()):
            raise NoSuchSpan(str(span.pk))
        before = {"kind": span.kind, "first": span.first_day, "last": span.last_day}
        audit.record(span.district_id, "calendar.remove_days", "days", span.pk, before=before)


def spans_of(district: District, kind: str = "") -> QuerySet[Span]:
    """What counts, past or to come, by its days."""
    found = Span.objects.filter(district=district, removed_at__isnull=True).select_related("connection")
    return (found.filter(kind=kind) if kind else found).order_by("first_day", "pk")


# --- What a day is ------------------------------------------------------------------------------------------------------------------------


def blackout_end(connection: Connection, day: date) -> date | None:
    """The last day of the blackout that `day` lies in for this connection; None if it lies in none."""
    return _end(connection, Span.Kind.BLACKOUT, day)


def additions_end(connection: Connection, day: date) -> date | None:
    """The last day of the days of additions only; None if `day` is none of them."""
    return _end(connection, Span.Kind.ADDITIONS, day)


def _end(connection: Connection, kind: str, day: date) -> date | None:
    if connection.kind == MANUAL:
        return None
    return stretch_end(_days(_meant_for(connection, kind)), day)


def _meant_for(connection: Connection, kind: str) -> QuerySet[Span]:
    its = Q(connection=connection) | Q(connection__isnull=True)
    return spans_of(connection.district, kind).filter(its)


def _days(spans: QuerySet[Span]) -> list[Days]:
    return [Days(*days) for days in spans.values_list("first_day", "last_day")]


def left_out_words(plan: Plan) -> str:
    """What a plan left out because deliveries only added when it was made, as a sentence; empty where nothing."""
    number = sum(plan.left_out.values())
    if not number:
        return ""
    return f"Left out, additions only until {plan.additions_until}: {number:,} {'removal' if number == 1 else 'removals'}."


# --- Telling ------------------------------------------------------------------------------------------------------------------------------


def tell_of_blackouts(district_id: int, now: datetime) -> int:
    """Tell the operators of blackouts that begin tomorrow, or end today; how many that were. Each is told once."""
    waiting = Q(told_begin_at__isnull=True) | Q(told_end_at__isnull=True)
    spans = Span.objects.filter(waiting, district_id=district_id, kind=BLACKOUT, removed_at__isnull=True)
    near = list(spans.select_related("connection", "district").order_by("pk"))
    if not near or now.astimezone(zone_of(near[0].district)).hour < TELL_FROM:
        return 0
    today = today_of(near[0].district, now)
    told = [_tell_begin(span, today, now) or _tell_end(span, today, now) for span in near]
    return sum(told)


def _tell_begin(span: Span, today: date, now: datetime) -> bool:
    is_due = span.first_day == today + timedelta(1)
    if not is_due or span.told_begin_at or blackout_end_without(span, today):
        return False
    return _told_first(
        span,
        now,
        "told_begin_at",
        "A blackout begins tomorrow",
        f"From tomorrow, {span.first_day}, until {span.last_day}, what comes in {_by(span)} is kept and not applied.\n\n"
        "Apps go on reading the roster as it is. Afterwards the newest delivery is imported by itself."
        f" Change the days here:\n{calendar_address(span.district)}\n",
    )


def _tell_end(span: Span, today: date, now: datetime) -> bool:
    goes_on = blackout_end_without(span, span.last_day + timedelta(1))
    if span.last_day != today or span.told_end_at or goes_on:
        return False
    waiting = kept_of(span).count()
    return _told_first(
        span,
        now,
        "told_end_at",
        "A blackout ends tonight",
        f"Today, {span.last_day}, is the last day on which what comes in {_by(span)} is kept and not applied."
        f" Deliveries kept so far: {waiting}. From tomorrow on imports go on, the newest kept delivery first.\n\n"
        f"If your student information system is not ready yet, add days here:\n{calendar_address(span.district)}\n",
    )


def blackout_end_without(span: Span, day: date) -> date | None:
    """The blackout of `day` for whom `span` is meant, if `span` were not there."""
    others = spans_of(span.district, BLACKOUT).exclude(pk=span.pk)
    meant = (
        Q(connection__isnull=True) | Q(connection=span.connection_id)
        if span.connection_id
        else Q(connection=None)
    )
    return stretch_end(_days(others.filter(meant)), day)


@transaction.atomic
def _told_first(span: Span, now: datetime, column: str, subject: str, words: str) -> bool:
    """Whoever sets the moment writes the mail: several hosts look at the same time."""
    untold = Span.objects.filter(pk=span.pk, **{f"{column}__isnull": True})
    if not untold.update(**{column: now}):
        return False
    tell_operators(span.district, subject, words)
    return True


def kept_of(span: Span) -> QuerySet[Run]:
    """The runs whose deliveries wait for its end."""
    kept = Run.objects.filter(district=span.district_id, outcome=KEPT)
    return kept.filter(connection=span.connection_id) if span.connection_id else kept


def _by(span: Span) -> str:
    return f"by “{span.connection.name}”" if span.connection else "by any connection"
