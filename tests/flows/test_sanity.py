"""A sanity check reads what the app is served, is kept and compared, made by the clock, and keeps exports back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from rollbook.engine.sanity.check import Told
from rollbook.engine.scope import ALL, Choice, Scope, basic
from rollbook.flows import audit, opt_outs, sanity, sanity_plans
from rollbook.flows.publish import publish, set_rule
from rollbook.store.models import District, Grant, Org, SanityCheck, User
from rollbook.store.visibility import record_ids
from tests import cast
from tests.delivered import a_district, a_grant, a_grant_to, deliver, everything, reader_of
from tests.flows.rekeyed import rekey

pytestmark = pytest.mark.django_db


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


def line(one: SanityCheck, code: str) -> Told:
    return next(told for told in sanity.report_of(one).lines if told.code == code)


def test_the_counts_are_of_what_the_app_is_served(district: District) -> None:
    for grant in (a_grant(district), a_grant_to(district, cast.RIVERBEND_HIGH)):
        made = sanity.check_now(grant, "a test")
        counts = sanity.report_of(made).counts
        assert made.phase == "done"
        for collection in ("orgs", "classes", "users", "enrollments", "demographics"):
            assert counts[collection] == len(
                [one for one in everything(reader_of(grant), f"/{collection}") if one["status"] == "active"]
            ), collection


def test_a_check_of_a_fresh_district_counts_nothing() -> None:
    made = sanity.check_now(a_grant(a_district("Cedar Valley")), "a test")
    assert set(sanity.report_of(made).counts.values()) == {0}


def test_a_pupil_in_no_class_is_found_where_such_are_shared(district: District) -> None:
    schools = Choice(ids=record_ids(district.pk, "orgs", [cast.RIVERBEND_ELEMENTARY]))
    grant = a_grant(district, basic(Scope(schools, ALL, unenrolled=True)))
    told = line(sanity.check_now(grant, "a test"), "students-without-enrollments")
    assert [one.id for one in told.examples] == [cast.NOAH]
    set_rule(grant, basic(Scope(schools, ALL)), "a test")
    assert line(sanity.check_now(grant, "a test"), "students-without-enrollments").count == 0


def lose_a_grade(district: District) -> None:
    User.objects.filter(district=district, sourced_id=cast.AMARA).update(grades=None)
    publish(district.pk, None, "a test")
    district.refresh_from_db()


def test_it_is_compared_with_the_time_before(district: District) -> None:
    grant = a_grant(district)
    first = sanity.check_now(grant, "a test")
    lose_a_grade(district)
    second = sanity.check_now(grant, "a test")
    assert sanity.before(second) == first
    was, now = sanity.trend(second)["students-without-grades"]
    assert (now or 0) - (was or 0) == 1


def test_who_opted_out_is_counted_where_the_app_would_see_them(district: District) -> None:
    grant = a_grant_to(district, cast.RIVERBEND_HIGH)
    for who in (cast.AMARA, cast.KOFI):
        opt_outs.opt_out(district, who, None, "asked to", by="a test")
    grant.refresh_from_db()
    assert line(sanity.check_now(grant, "a test"), "opted-out").count == 1


def test_people_who_come_back_under_another_id_are_told_of_once(riverbend: District, tmp_path: Path) -> None:
    district = riverbend
    high = a_grant_to(district, cast.RIVERBEND_HIGH)
    everybody = a_grant(district)
    for grant in (high, everybody):
        assert line(sanity.check_now(grant, "a test"), "person-other-id").count == 0
    deliver(
        district,
        rekey(
            cast.riverbend(tmp_path / "again"),
            tmp_path / "rekeyed",
            lambda one: one in (cast.AMARA, cast.KOFI),
        ),
    )
    for grant, ids in ((high, [cast.AMARA]), (everybody, [cast.AMARA, cast.KOFI])):
        grant.refresh_from_db()
        told = line(sanity.check_now(grant, "a test"), "person-other-id")
        assert [(one.id, one.said) for one in told.examples] == [
            (f"sis2-{one}", f"Was {one} before.") for one in ids
        ]
    assert line(sanity.check_now(high, "a test"), "person-other-id").count == 0


def test_more_people_than_licences_are_told_of_and_not_to_who_is_bound_to_schools(district: District) -> None:
    grant = a_grant_to(district, cast.RIVERBEND_HIGH)
    students = sanity.report_of(sanity.check_now(grant, "a test")).roles["student"]
    sanity_plans.set_licences(grant, students - 2, "students", "a test")
    told = line(sanity.check_now(grant, "a test"), "licences-exceeded")
    assert (told.count, told.among, told.examples[0].said) == (
        2,
        students,
        f"{students} students, {students - 2} licences.",
    )
    bound = sanity.walk(
        sanity.ask(grant, "a principal", schools=record_ids(district.pk, "orgs", [cast.RIVERBEND_HIGH]))
    )
    assert line(bound, "licences-exceeded").count == 0
    for number, kind in ((-1, "people"), (5, "chairs")):
        with pytest.raises(sanity_plans.BadLicences):
            sanity_plans.set_licences(grant, number, kind, "a test")


def test_full_access_of_which_little_is_used_is_told_of(district: District) -> None:
    grants = a_grant(district), a_grant(district, basic(Scope(ALL, ALL)), "Another app")
    Grant.objects.update(created_at=timezone.now() - timedelta(days=91))
    for grant in grants:
        grant.refresh_from_db()
    full, some = (line(sanity.check_now(grant, "a test"), "full-little-used") for grant in grants)
    assert (full.count, some.count) == (full.among, 0)
    assert full.count > 50
    assert "users.email" in sanity.around(grants[0]).full_unread


def test_a_check_bound_to_schools_is_apart_from_the_others(district: District) -> None:
    grant = a_grant(district)
    [high] = Org.objects.filter(district=district, sourced_id=cast.RIVERBEND_HIGH).values_list(
        "id", flat=True
    )
    made = sanity.walk(sanity.ask(grant, "a principal", schools=(high,)))
    assert sanity.latest(grant) is None
    assert sanity.latest(grant, (high,)) == made
    assert sanity.report_of(made).counts["orgs"] == 1
    assert sanity.ask(grant, "nobody's", schools=()).schools == "none"


# --- In a worker ----------------------------------------------------------------------------------------------------------------


def test_what_waits_is_walked_once(district: District) -> None:
    grant = a_grant(district)
    asked = sanity.ask(grant, "a test")
    assert sanity.ask(grant, "somebody else") == asked
    assert sanity.walk_next()
    assert not sanity.walk_next()
    asked.refresh_from_db()
    assert (asked.phase, sanity.under_way(grant)) == ("done", None)


def test_a_check_whose_process_died_is_begun_again_and_the_dead_write_nothing(district: District) -> None:
    grant = a_grant(district)
    dead = sanity._take(sanity.ask(grant, "a test"))
    assert not sanity.walk_next()
    SanityCheck.objects.filter(pk=dead.pk).update(alive_at=timezone.now() - 2 * sanity.DEAD)
    assert sanity.walk_next()
    with pytest.raises(sanity.TakenOver):
        sanity._change(dead, phase="failed")
    assert sanity.latest(grant) == dead


# --- By the clock and before exports --------------------------------------------------------------------------------------------


def test_it_is_asked_for_by_the_districts_clock_once(district: District) -> None:
    grant = a_grant(district)
    monday = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
    with time_machine.travel(monday - timedelta(hours=2), tick=False):
        sanity_plans.set_times(grant, ["05:30"], ["mon"], "a test")
        assert sanity_plans.ask_due(district.pk, timezone.now()) == 0
    assert sanity_plans.ask_due(district.pk, monday) == 1
    assert sanity_plans.ask_due(district.pk, monday) == 0
    assert sanity.checks_of(grant).get().due == "2026-11-02T05:30"
    sanity_plans.set_times(grant, [], ["mon"], "a test")
    assert sanity_plans.ask_due(district.pk, monday + timedelta(days=7)) == 0


@pytest.mark.parametrize(
    ("times", "days"), [(["5"], ["mon"]), (["25:00"], ["mon"]), (["05:30"], []), (["05:30"], ["lundi"])]
)
def test_times_that_are_none_are_refused(district: District, times: list[str], days: list[str]) -> None:
    with pytest.raises(sanity_plans.BadTimes):
        sanity_plans.set_times(a_grant(district), times, days, "a test")


def test_an_export_is_kept_back_above_the_limit(district: District) -> None:
    grant = a_grant(district)
    assert sanity_plans.why_blocked(grant) == ""
    sanity_plans.set_limit(grant, "students-without-grades", 1, "a test")
    assert sanity_plans.why_blocked(grant) == ""
    lose_a_grade(district)
    assert sanity_plans.why_blocked(grant) == (
        "Students without grades: 1 of 45, 2.2 %, and the limit is 1 %."
    )
    assert sanity.checks_of(grant).count() == 2, (
        "one for each of the two publications, none for the same again"
    )
    sanity_plans.set_limit(grant, "students-without-grades", None, "a test")
    assert sanity_plans.why_blocked(grant) == ""
    told = [(entry.act, entry.about) for entry in audit.entries(district.pk, act="sanity")]
    assert told == [("sanity.limit", "An app")] * 2


def test_limits_name_lines_and_percentages(district: District) -> None:
    grant: Grant = a_grant(district)
    with pytest.raises(sanity_plans.NoSuchLine):
        sanity_plans.set_limit(grant, "classes-without-windows", 5, "a test")
    with pytest.raises(sanity_plans.BadPercent):
        sanity_plans.set_limit(grant, "classes-without-teachers", 101, "a test")


def test_the_oldest_checks_make_room(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sanity, "KEPT", 2)
    grant = a_grant(district)
    made = [sanity.check_now(grant, "a test") for _ in range(3)]
    assert list(sanity.checks_of(grant)) == [made[2], made[1]]
