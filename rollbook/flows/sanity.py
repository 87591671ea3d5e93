"""Sanity checks: what an app sees is looked at when somebody asks or the calendar does, kept, and compared with the time before.

A check reads what the app is served, by the one road out, into a folder of its own; a worker walks it, and it can be killed at any line
and begun again. It changes nothing but its own row.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from django.db import close_old_connections
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from rollbook.engine.explaining import explain_person
from rollbook.engine.needs import parse
from rollbook.engine.sanity.check import Around, Report, check
from rollbook.flows.disclosure import Used, use
from rollbook.flows.email_domains import domains_of
from rollbook.flows.other_ids import Ids, other_ids
from rollbook.flows.packages import held
from rollbook.flows.progress import OUT_OF_REACH
from rollbook.flows.publish import local_date
from rollbook.oneroster.operations import OPERATION
from rollbook.oneroster.query import Question
from rollbook.refusal import Refusal
from rollbook.store.circumstances import left_out
from rollbook.store.evidence import person_of, sharing_of
from rollbook.store.models import Grant, Org, SanityCheck, SanityPlan
from rollbook.store.models.publication import COLLECTIONS
from rollbook.store.pages import locate_in, read
from rollbook.store.visibility import Reader, reader_of_grant
from rollbook.work_folders import work_folder

VERSION = "1.2"
PAGE = 5_000
KEPT = 60
"""Checks of one app that are kept; the oldest make room."""

OFTEN = 1.0
"""Seconds between two tellings of how far a check is."""

DEAD = timedelta(seconds=90)
"""A check that nobody has told of for so long is begun again."""

LOOK = 1.0
MOST_OPT_OUTS = 500
"""Opt-outs that are asked one by one whether they are of somebody this app would see; of more, all are counted."""

log = logging.getLogger(__name__)
Schools = Collection[int] | None
"""Record ids of the schools that whoever looks is bound to; None is everything the app sees."""


class NoSuchCheck(Refusal):
    """There is no such sanity check of this app: it was never made, or it is no longer kept."""


class TakenOver(Refusal):
    """Another process has taken this check over, because this one did not answer for a while."""


def ask(grant: Grant, by: str, due: str = "", schools: Schools = None) -> SanityCheck:
    """A check that waits for a worker; the one that waits already, where there is one."""
    bound = _text(schools)
    waiting = checks_of(grant, schools).filter(phase="waiting").first()
    if waiting is not None and not due:
        return waiting
    return SanityCheck.objects.create(
        district_id=grant.district_id, grant_id=grant.pk, started_by=by[:200], due=due, schools=bound
    )


def check_now(grant: Grant, by: str) -> SanityCheck:
    """A check that is walked here, at once."""
    made = SanityCheck.objects.create(district_id=grant.district_id, grant_id=grant.pk, started_by=by[:200])
    return walk(made)


def checks_of(grant: Grant, schools: Schools = None) -> QuerySet[SanityCheck]:
    """Those bound to just these schools, the latest first."""
    return SanityCheck.objects.filter(grant_id=grant.pk, schools=_text(schools)).order_by("-pk")


def _text(schools: Schools) -> str:
    """As it is stored; somebody bound to no school at all sees no record, but never everything."""
    return "" if schools is None else ",".join(map(str, sorted(schools))) or "none"


def find_check(grant: Grant, number: int, schools: Schools = None) -> SanityCheck:
    """Raises NoSuchCheck."""
    found = checks_of(grant, schools).filter(pk=number).first()
    if found is None:
        raise NoSuchCheck(str(number))
    return found


def latest(grant: Grant, schools: Schools = None) -> SanityCheck | None:
    """The last that came to its end."""
    return checks_of(grant, schools).filter(phase="done").first()


def under_way(grant: Grant, schools: Schools = None) -> SanityCheck | None:
    return checks_of(grant, schools).filter(phase__in=("waiting", "running")).first()


def report_of(one: SanityCheck) -> Report:
    return Report.of(one.report)


def told(one: SanityCheck) -> dict[str, Any]:
    """The check for programs: names as in JSON answers."""
    report = report_of(one)
    return {
        "check": one.pk,
        "grant": one.grant_id,
        "phase": one.phase,
        "done": one.done,
        "known": one.known,
        "publication": one.publication or None,
        "startedBy": one.started_by,
        "startedAt": one.started_at,
        "endedAt": one.ended_at,
        "counts": report.counts,
        "roles": report.roles,
        "lines": [{**asdict(line), "percent": round(line.percent, 2)} for line in report.lines],
    }


# --- Trend ----------------------------------------------------------------------------------------------------------------------------------


def before(one: SanityCheck) -> SanityCheck | None:
    """The check of the same app that came to its end before this one."""
    return _done(one).filter(pk__lt=one.pk).first()


def _done(one: SanityCheck) -> QuerySet[SanityCheck]:
    """The checks of the same app and the same schools that came to their end, the latest first."""
    same = SanityCheck.objects.filter(grant_id=one.grant_id, schools=one.schools, phase="done")
    return same.order_by("-pk")


def trend(one: SanityCheck, most: int = 12) -> dict[str, list[int | None]]:
    """{code of a line, or collection: what it counted in the last checks up to this one, the oldest first}; None where it was not asked."""
    checks = list(_done(one).filter(pk__lte=one.pk)[:most])[::-1]
    told = [_counted(report_of(each)) for each in checks]
    names = dict.fromkeys(name for each in told for name in each)
    return {name: [each.get(name) for each in told] for name in names}


def _counted(report: Report) -> dict[str, int]:
    return {**report.counts, **{line.code: line.count for line in report.lines}}


# --- Walking --------------------------------------------------------------------------------------------------------------------------------


def walk(one: SanityCheck) -> SanityCheck:
    """Takes the check and walks it to its end. Raises TakenOver where somebody else has it."""
    taken = _take(one)
    try:
        with work_folder("sanity") as work:
            _walk(taken, work)
    except (TakenOver, *OUT_OF_REACH):
        raise
    except Exception:
        _change(
            taken, phase="failed", message="The fault is ours; it is in the log.", ended_at=timezone.now()
        )
        raise
    _forget_the_oldest(taken.grant_id)
    taken.refresh_from_db()
    return taken


def _take(one: SanityCheck) -> SanityCheck:
    now = timezone.now()
    mine = SanityCheck.objects.filter(pk=one.pk, fence=one.fence, phase__in=("waiting", "running"))
    if not mine.update(fence=F("fence") + 1, phase="running", alive_at=now, done=0, known=0):
        raise TakenOver(str(one.pk))
    return SanityCheck.objects.get(pk=one.pk)


def _change(one: SanityCheck, **columns: object) -> None:
    """Raises TakenOver."""
    if not SanityCheck.objects.filter(pk=one.pk, fence=one.fence).update(**columns):
        raise TakenOver(str(one.pk))


def _walk(one: SanityCheck, work: Path) -> None:
    grant = Grant.objects.select_related("app", "district").get(pk=one.grant_id)
    publication = grant.district.publication
    reader = reader_of_grant(grant, -grant.pk)
    tell = _Telling(one)
    with held(reader, publication) as touch:
        _spool(reader, publication, work, tell, touch)
    report = check(work, around(grant, one.schools, _other_ids(one, grant, publication, work)), tell.lines)
    _change(
        one, phase="done", report=report.as_dict(), publication=publication, grant_version=grant.version,
        ended_at=timezone.now(), message="",
    )  # fmt: skip


@dataclass
class _Telling:
    """Tells how far a check is, now and then. Reading is the first nine tenths of the way."""

    one: SanityCheck
    told: float = 0.0
    known: int = 0
    done: int = 0

    def __call__(self, more: int) -> None:
        self.done += more
        self._say(self.done, max(self.known * 10 // 9, self.done))

    def lines(self, done: int, known: int) -> None:
        whole = max(self.known * 10 // 9, 1)
        self._say(self.known + (whole - self.known) * done // known, whole)

    def _say(self, done: int, known: int) -> None:
        if time.monotonic() - self.told >= OFTEN:
            _change(self.one, done=done, known=known, alive_at=timezone.now())
            self.told = time.monotonic()


def _spool(reader: Reader, publication: int, work: Path, tell: _Telling, touch: Callable[[], None]) -> None:
    """What the app is served, as files of JSON: one page each, as a client would get it. Tombstones are left out when they are read."""
    if not publication:
        return
    whole = replace(reader, deleted=True)  # positions are dense with tombstones
    tell.known = sum(_total(whole, publication, one) for one in COLLECTIONS)
    for collection in COLLECTIONS:
        for number, (text, count) in enumerate(_pages(whole, publication, collection)):
            (work / f"{collection}-{number:05}.json").write_bytes(b"[%s]" % text)
            tell(count)
            touch()


def _total(reader: Reader, publication: int, collection: str) -> int:
    return locate_in(reader, _question(collection, 0), publication).total


def _pages(reader: Reader, publication: int, collection: str) -> Iterator[tuple[bytes, int]]:
    offset, total = 0, _total(reader, publication, collection)
    while offset < total:
        text, count = read(locate_in(reader, _question(collection, offset), publication), "")
        yield text, count
        offset += PAGE


def _question(collection: str, offset: int) -> Question:
    operation_id = f"getAll{collection[0].upper()}{collection[1:]}"
    return Question(OPERATION[VERSION, operation_id], limit=PAGE, offset=offset)


def _other_ids(one: SanityCheck, grant: Grant, publication: int, work: Path) -> Ids:
    """What the app knew by another id when it was checked the last time; nothing at the first."""
    last = before(one)
    if last is None or not last.publication:
        return {}
    today = local_date(grant.district, timezone.now().timestamp())
    return other_ids(grant, last.publication, publication, today, work / "plans")


def around(grant: Grant, schools: str = "", others: Ids | None = None) -> Around:
    """What stands beside the records of this app; `schools` as a check stores them, `others` as of `other_ids`.

    What is bound to schools is not compared with the licences, which are for all.
    """
    now = timezone.now()
    today = local_date(grant.district, now.timestamp())
    used, plan = use(grant, now), SanityPlan.objects.filter(grant=grant).first()
    full = used if grant.permission == Grant.Permission.FULL else []
    return Around(
        today=datetime.fromisoformat(today).date(),
        domains=domains_of(grant.district),
        needs=parse(grant.app.needs),
        opted_out=0 if schools else _opted_out(grant, today),
        unread=frozenset(one.collection for one in used if one.read is None),
        schools=_served_ids(grant, schools) if schools else None,
        licences=plan.licences if plan and not schools else None,
        licensed=plan.licensed if plan else "people",
        other_ids=others or {},
        full_unread=_unread_fields(full),
        full_shown=sum(len(one.shown) for one in full),
    )


def _unread_fields(used: list[Used]) -> tuple[str, ...]:
    return tuple(f"{one.collection}.{field}" for one in used for field in sorted(one.unread))


def _served_ids(grant: Grant, schools: str) -> tuple[str, ...]:
    numbers = [int(one) for one in schools.split(",") if one.isdecimal()]
    orgs = Org.objects.filter(district=grant.district, id__in=numbers).order_by("sourced_id")
    return tuple(orgs.values_list("sourced_id", flat=True))


def _opted_out(grant: Grant, today: str) -> int:
    """How many people this app would see, had they not opted out."""
    out = sorted(left_out(grant.district_id, grant, today))
    if not out or len(out) > MOST_OPT_OUTS:
        return len(out)
    sharing = sharing_of(grant, today)
    people = (person_of(grant, number, today) for number in out)
    return sum(
        explain_person(replace(person, opted_out=""), sharing).in_view
        for person in people
        if person is not None
    )


def _forget_the_oldest(grant_id: int) -> None:
    every = SanityCheck.objects.filter(grant_id=grant_id).order_by("-pk")
    kept = list(every.values_list("pk", flat=True)[:KEPT])
    every.exclude(pk__in=kept).delete()


# --- In a worker ----------------------------------------------------------------------------------------------------------------------------


def keep_checking(stop: Event) -> None:
    """Walks what waits, one after another, until `stop` is set. A fault is logged, and costs only that check."""
    while not stop.is_set():
        close_old_connections()
        try:
            while not stop.is_set() and walk_next():
                pass
        except OUT_OF_REACH:
            # The roster may be closed while an import is applied: what waits, waits a little longer.
            log.info("the database does not answer; looking again")
        except Exception:
            # The check says itself that it failed; the next ones are walked.
            log.exception("a sanity check")
        close_old_connections()
        stop.wait(LOOK)


def walk_next() -> bool:
    """Walks the check that waits longest, or one whose process has died; False where there is none."""
    dead = Q(phase="running", alive_at__lt=timezone.now() - DEAD)
    one = SanityCheck.objects.filter(Q(phase="waiting") | dead).order_by("pk").first()
    if one is None:
        return False
    try:
        walk(one)
    except TakenOver:
        log.info("sanity check %s is walked by another process", one.pk)
    return True
