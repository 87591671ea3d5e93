"""Blackouts and days of additions only: what is kept, what waits in line, what is left out, who is told."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail

from rollbook.flows import operators, post, spans
from rollbook.flows.holds import apply_once
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.jobs import walk, work_off
from rollbook.flows.overdue import overdue
from rollbook.flows.snapshots import StillNeeded, remove_snapshot
from rollbook.flows.spans import ADDITIONS, BLACKOUT, BadDays, add_span, remove_span
from rollbook.flows.timetable import NotInTurn, NotKept, import_kept, release_kept
from rollbook.flows.undo import prepare_undo
from rollbook.store.models import Connection, District, Run, Span, User
from tests import cast
from tests.delivered import a_district, a_grant, active, deliver, everything, reader_of
from tests.kept import kept

pytestmark = pytest.mark.django_db

CHICAGO = ZoneInfo("America/Chicago")
FIRST, LAST = date(2026, 6, 6), date(2026, 8, 9)


def at(day: date, hour: int = 12, minute: int = 0) -> time_machine.travel:
    """The clock stands at this hour of Chicago's day."""
    return time_machine.travel(
        datetime(day.year, day.month, day.day, hour, minute, tzinfo=CHICAGO), tick=False
    )


def delivered_in_spring(folder: Path) -> District:
    """Riverbend is in the roster, since before the summer."""
    district = a_district()
    with at(date(2026, 6, 1)):
        deliver(district, cast.riverbend(folder / "loaded"))
    return district


loaded = kept(delivered_in_spring)


@pytest.fixture
def district(request: pytest.FixtureRequest) -> District:
    """Without a record in its roster, unless the test wants it `loaded`."""
    return request.getfixturevalue("loaded") if "loaded" in request.fixturenames else a_district()


@pytest.fixture
def summer(district: District) -> Span:
    with at(date(2026, 6, 1)):
        return add_span(district, BLACKOUT, FIRST, LAST, "Helen", why="roll-over")


def bring(district: District, package: Path, despite: bool = False) -> Run:
    prepared = prepare(Connection.objects.filter(district=district).first(), package, "a test")
    prepared.run.despite_blackout = despite
    return carry_out(prepared)


def students(district: District) -> set[str]:
    """As an app reads them."""
    return active(everything(reader_of(a_grant(district, app=f"App {Run.objects.count()}")), "/students"))


def without(folder: Path, *who: str) -> Path:
    """Riverbend without these students and what is theirs."""
    rows = cast.demo.rows("1.2")
    gone = {
        table: {
            row["sourcedId"]: None
            for row in rows[table]
            if row.get("userSourcedId") in who or row["sourcedId"] in who
        }
        for table in ("users", "roles", "enrollments", "demographics", "userProfiles", "userResources")
    }
    return cast.riverbend(folder, gone)


def renamed(folder: Path, name: str, delta: bool = False) -> Path:
    write = cast.riverbend_delta if delta else cast.riverbend
    return write(folder, {"users": {cast.KOFI: {"givenName": name}}})


def name_of_kofi(district: District) -> str:
    return User.objects.get(district=district, source_id=cast.KOFI).given_name


def test_the_clock_of_the_district_says_what_day_it_is(district, summer, tmp_path):
    before, after = FIRST - timedelta(1), LAST + timedelta(1)
    moments = [(before, 23, "success"), (FIRST, 0, "kept"), (LAST, 23, "kept"), (after, 0, "success")]
    served = []
    for number, (day, hour, outcome) in enumerate(moments):
        with at(day, hour):
            assert bring(district, renamed(tmp_path / str(number), f"Kofi {number}")).outcome == outcome
        served.append(name_of_kofi(district))
    assert served == ["Kofi 0", "Kofi 0", "Kofi 0", "Kofi 3"]


@pytest.mark.django_db(transaction=True)
def test_what_is_kept_is_imported_by_itself_afterwards_the_newest_alone(district, loaded, summer, tmp_path):
    with at(FIRST):
        early = bring(district, renamed(tmp_path / "one", "Kwame"))
    with at(LAST):
        late = bring(district, renamed(tmp_path / "two", "Kojo"))
        assert late.message.startswith("Kept: blackout until 2026-08-09.")
        assert Run.objects.get(pk=early.pk).outcome == "replaced", "it need not stay on the shelf"
        assert release_kept(district.pk) == 0
    with at(LAST + timedelta(1), 0, 5):
        assert release_kept(district.pk) == 1
        assert release_kept(district.pk) == 0, "another host, or another look"
        work_off()
    assert name_of_kofi(district) == "Kojo"
    early.refresh_from_db()
    late.refresh_from_db()
    assert (early.outcome, late.outcome) == ("replaced", "replaced")
    done = Run.objects.latest("pk")
    assert (done.outcome, done.snapshot_id) == ("success", late.snapshot_id)
    assert str(done.pk) in late.message


def test_what_is_kept_stays_on_the_shelf(district, summer, tmp_path):
    with at(FIRST):
        run = bring(district, renamed(tmp_path / "one", "Kwame"))
        with pytest.raises(StillNeeded):
            remove_snapshot(run.snapshot, "Helen")


@pytest.mark.django_db(transaction=True)
def test_changes_wait_in_line_and_are_imported_in_order(district, loaded, summer, tmp_path):
    with at(FIRST):
        for name in ("Kwame", "Kofi"):
            run = bring(district, renamed(tmp_path / name, name, delta=True))
            assert run.outcome == "kept", "Kofi too, though that changes nothing now"
    with at(LAST + timedelta(1)):
        waiting = bring(district, renamed(tmp_path / "last", "Kobina", delta=True))
        assert "came before it" in waiting.message
        while release_kept(district.pk):
            work_off()
    assert name_of_kofi(district) == "Kobina"
    assert not Run.objects.filter(outcome="kept").exists()
    applied = Run.objects.filter(outcome="success").order_by("pk")
    assert [run.plan.counts for run in applied][1:] == [{"users": {"update": 1}}] * 3


def test_a_complete_delivery_after_the_blackout_makes_the_line_needless(district, loaded, summer, tmp_path):
    with at(FIRST):
        kept = [
            bring(district, renamed(tmp_path / "one", "Kwame")),
            bring(district, renamed(tmp_path / "two", "Kojo", delta=True)),
        ]
    with at(LAST + timedelta(1)):
        assert bring(district, renamed(tmp_path / "three", "Yaw")).outcome == "success"
        assert release_kept(district.pk) == 0
    assert {Run.objects.get(pk=run.pk).outcome for run in kept} == {"replaced"}
    assert name_of_kofi(district) == "Yaw"


def test_asked_for_despite_the_blackout_it_is_applied(district, summer, tmp_path):
    with at(FIRST):
        assert bring(district, renamed(tmp_path / "one", "Kwame"), despite=True).outcome == "success"
    assert name_of_kofi(district) == "Kwame"


@pytest.mark.django_db(transaction=True)
def test_a_kept_delivery_is_imported_when_somebody_says_so_but_not_before_its_turn(
    district, loaded, summer, tmp_path
):
    with at(FIRST):
        full = bring(district, renamed(tmp_path / "one", "Kwame"))
        changes = bring(district, renamed(tmp_path / "two", "Kojo", delta=True))
        with pytest.raises(NotInTurn):
            import_kept(changes, "Helen")
        run = import_kept(full, "Helen")
        with pytest.raises(NotKept):
            import_kept(Run.objects.get(pk=full.pk), "Helen")
        walk(run.pk)
    run.refresh_from_db()
    assert (run.outcome, run.started_by) == ("success", "Helen")
    assert name_of_kofi(district) == "Kwame"
    assert Run.objects.get(pk=changes.pk).outcome == "kept"


def test_held_plans_may_be_decided_and_undoing_goes_on_in_a_blackout(district, loaded, summer, tmp_path):
    with at(FIRST - timedelta(1)):
        held = bring(
            district,
            cast.riverbend(
                tmp_path / "short", {"demographics": dict.fromkeys(f"student-{n:03}" for n in range(1, 20))}
            ),
        )
        assert held.outcome == "held"
    with at(FIRST):
        applied = apply_once(held.hold, "Helen", "she looked")
        assert applied.outcome == "success"
        undone = carry_out(prepare_undo(applied, "Helen"))
        assert undone.outcome in ("success", "held")


def test_a_blackout_of_one_connection_leaves_the_others_alone(district, tmp_path):
    other = Connection.objects.create(district=district, kind="upload", name="Another")
    with at(FIRST):
        add_span(district, BLACKOUT, FIRST, LAST, "Helen", connection=other)
        assert bring(district, renamed(tmp_path / "one", "Kwame")).outcome == "success"


def test_a_removed_blackout_counts_no_more_and_who_removed_it_is_known(district, summer, tmp_path):
    remove_span(summer, "Sam")
    with at(FIRST):
        assert bring(district, renamed(tmp_path / "one", "Kwame")).outcome == "success"
    summer.refresh_from_db()
    assert (summer.added_by, summer.removed_by) == ("Helen", "Sam")
    with pytest.raises(spans.NoSuchSpan):
        remove_span(summer, "Sam")


def test_days_that_are_over_upside_down_or_endless_are_refused(district):
    with at(FIRST):
        for first, last in (
            (LAST, FIRST),
            (FIRST - timedelta(9), FIRST - timedelta(1)),
            (FIRST, FIRST + timedelta(400)),
        ):
            with pytest.raises(BadDays):
                add_span(district, BLACKOUT, first, last, "Helen")


def test_what_is_kept_is_no_silence(district, summer, tmp_path):
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    Connection.objects.filter(district=district).update(expected_every_hours=26, created_at=long_ago)
    with at(FIRST + timedelta(9)):
        assert [one.connection.district_id for one in overdue(district.pk, datetime.now(UTC))] == [
            district.pk
        ]
        bring(district, renamed(tmp_path / "one", "Kwame"))
        assert overdue(district.pk, datetime.now(UTC)) == []


# --- Additions only -----------------------------------------------------------------------------------------------------------------------


def test_who_is_gone_stays_until_the_range_is_over(district, loaded, tmp_path):
    with at(FIRST):
        add_span(district, ADDITIONS, FIRST, LAST, "Helen")
        package = without(tmp_path / "one", cast.NOAH)
        run = bring(district, package)
        assert run.outcome == "success"
        assert sum(run.plan.left_out.values()) == 3
        assert run.message == "Nothing changed. Left out, additions only until 2026-08-09: 3 removals."
        assert cast.NOAH in students(district)
    with at(LAST + timedelta(1)):
        assert bring(district, package).plan.counts["users"] == {"delete": 1}
    assert cast.NOAH not in students(district)


def test_what_changes_and_comes_goes_on_meanwhile(district, loaded, tmp_path):
    with at(FIRST):
        add_span(district, ADDITIONS, FIRST, LAST, "Helen")
        run = bring(district, renamed(tmp_path / "one", "Kwame"))
    assert (run.outcome, run.message) == ("success", "")
    assert name_of_kofi(district) == "Kwame"


# --- Telling ------------------------------------------------------------------------------------------------------------------------------


def told(district: District, day: date, hour: int = 9) -> int:
    with at(day, hour):
        return spans.tell_of_blackouts(district.pk, datetime.now(UTC))


def test_the_operators_are_told_the_day_before_it_begins_and_before_it_is_over(district, summer):
    operators.add_operator("brandt@riverbend.example", operators.DISTRICT, district)
    assert told(district, FIRST - timedelta(2)) == 0
    assert told(district, FIRST - timedelta(1), hour=6) == 0, "not in the night"
    assert told(district, FIRST - timedelta(1)) == 1
    assert told(district, FIRST - timedelta(1)) == 0
    assert told(district, LAST - timedelta(1)) == 0
    assert told(district, LAST) == 1
    assert told(district, LAST + timedelta(1)) == 0
    post.send_due()
    begins, ends = mail.outbox
    assert "begins tomorrow" in begins.subject
    assert "2026-06-06, until 2026-08-09" in begins.body
    assert f"/districts/{district.pk}/calendar" in begins.body
    assert "ends tonight" in ends.subject


def test_a_blackout_that_goes_on_is_not_told_to_end(district, summer):
    with at(FIRST):
        add_span(district, BLACKOUT, LAST + timedelta(1), LAST + timedelta(7), "Helen")
    assert told(district, LAST) == 0
    assert told(district, LAST + timedelta(7)) == 1
