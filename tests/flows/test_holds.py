"""Plans that are held: what trips, who is told, what a person may decide, and what apps see meanwhile."""

import csv
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from django.core import mail

from rollbook.engine.safeguards import Limits
from rollbook.flows import holds, operators, post
from rollbook.flows.ingest import StaleBasis, carry_out, prepare
from rollbook.flows.limits import limits_of, set_limits
from rollbook.generator.generate import generate
from rollbook.store.models import Connection, District, Hold, Publication, Run, User
from rollbook.store.shelf import place
from rollbook.store.visibility import Reader
from tests.delivered import a_district, a_grant, active, deliver, everything, reader_of
from tests.flows.rekeyed import rekey
from tests.kept import kept

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "the office said so"


def without(package: Path, target: Path, file: str, keep: int) -> Path:
    """A copy of the package of which one file has only its first records."""
    target.mkdir()
    for source in package.glob("*.csv"):
        text = source.read_text(encoding="utf-8")
        if source.name == file:
            text = "".join(text.splitlines(keepends=True)[: keep + 1])
        (target / source.name).write_text(text, encoding="utf-8")
    return target


def all_ada_stone(package: Path, target: Path) -> Path:
    """A copy of the package in which everybody has one name, and neither identifier nor e-mail."""
    target.mkdir()
    for file in package.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        if file.name == "users.csv":
            for row in rows:
                row |= {"givenName": "Ada", "familyName": "Stone", "identifier": "", "email": ""}
        with (target / file.name).open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    return target


def bring(district: District, package: Path) -> Run:
    return carry_out(prepare(Connection.objects.get(district=district), package, "a test"))


class Served(NamedTuple):
    """A district, and the package that is served: 200 students."""

    district: District
    full: Path


def first_load(folder: Path) -> Served:
    generate(folder / "full", 200, 7)
    served = Served(a_district(), folder / "full")
    bring(*served)
    return served


def cut_short(folder: Path) -> tuple[Served, Run]:
    """The same, and a delivery of 300 enrollments that waits."""
    served = first_load(folder)
    return served, bring(served.district, without(served.full, folder / "short", "enrollments.csv", 300))


served = kept(first_load)
served_and_held = kept(cut_short)


@pytest.fixture
def district(served: Served) -> District:
    return served.district


@pytest.fixture
def full(served: Served) -> Path:
    return served.full


@pytest.fixture
def held(served_and_held: tuple[Served, Run]) -> Run:
    """What is served waits for a decision about a file cut short."""
    return served_and_held[1]


def test_a_first_load_is_not_held(served):
    assert Run.objects.get().outcome == "success"


def test_a_file_cut_short_is_held_and_the_old_roster_stays_served(district, full, tmp_path):
    reader = reader_of(a_grant(district))
    before = everything(reader, "/enrollments")
    number = Publication.objects.filter(district=district).count()
    held = bring(district, without(full, tmp_path / "short", "enrollments.csv", 300))
    assert (held.outcome, held.phase) == ("held", "held")
    codes = {(hazard["code"], hazard["collection"]) for hazard in held.hold.hazards}
    assert ("delete-percent", "enrollments") in codes
    assert everything(reader, "/enrollments") == before
    assert Publication.objects.filter(district=district).count() == number


def test_the_operators_are_told_once_and_nobody_is_named(district, full, tmp_path):
    operators.add_operator("brandt@riverbend.example", operators.DISTRICT, district)
    held = bring(district, without(full, tmp_path / "short", "users.csv", 20))
    assert post.send_due() == 1
    assert post.send_due() == 0
    [message] = mail.outbox
    assert message.to == ["brandt@riverbend.example"]
    assert "held" in message.subject
    assert f"/districts/{district.pk}/imports/{held.pk}" in message.body
    names = User.objects.filter(district_id=district.pk).values_list("family_name", flat=True)
    assert not [name for name in names if name in message.body]


def test_applied_once_it_is_applied_and_the_limits_stay(held):
    run = holds.apply_once(held.hold, "Helen", WHY)
    assert run.outcome == "success"
    assert len(active(everything(reader_of(a_grant(held.district)), "/enrollments"))) == 300
    hold = Hold.objects.get(run=run)
    assert (hold.decision, hold.decided_by, hold.why) == ("apply", "Helen", WHY)
    assert hold.decided_at
    assert limits_of(held.district)["enrollments"] == Limits()


def test_applied_with_raised_limits_the_same_again_is_not_held(district, full, tmp_path):
    held = bring(district, without(full, tmp_path / "short", "demographics.csv", 100))
    assert {hazard["code"] for hazard in held.hold.hazards} == {"delete-percent"}
    holds.apply_and_raise(held.hold, "Helen", WHY)
    raised = limits_of(district)["demographics"].delete_percent
    assert raised is not None
    assert raised > 10
    found = holds.hazards_of(held.hold)[0]
    assert 100 * found.count < raised * found.population


def test_rejected_it_is_never_applied(held):
    assert holds.reject(held.hold, "Helen", WHY).outcome == "rejected"
    with pytest.raises(holds.AlreadyDecided):
        holds.apply_once(held.hold, "Helen", WHY)
    assert Run.objects.get(pk=held.pk).outcome == "rejected"


def test_a_decision_needs_a_reason(held):
    with pytest.raises(holds.WhyNeeded):
        holds.apply_once(held.hold, "Helen", "  ")
    assert Run.objects.get(pk=held.pk).outcome == "held"


def test_a_newer_delivery_takes_the_place_of_a_held_one(served_and_held):
    (district, full), held = served_and_held
    newer = bring(district, full)
    assert newer.outcome == "success"
    held.refresh_from_db()
    assert held.outcome == "replaced"
    assert held.hold.decision == "replaced"
    with pytest.raises(holds.AlreadyDecided):
        holds.apply_once(held.hold, "Helen", WHY)


def test_a_plan_whose_roster_has_moved_on_is_not_applied_and_stays_held(held):
    District.objects.filter(pk=held.district_id).update(generation=99)
    with pytest.raises(StaleBasis):
        holds.apply_once(held.hold, "Helen", WHY)
    held.refresh_from_db()
    assert held.outcome == "held"
    assert Hold.objects.get(run=held).decision == ""


def test_slow_bleeding_is_held_when_the_week_adds_up(district, full, tmp_path):
    total = len(active(everything(reader_of(a_grant(district)), "/enrollments")))
    step = total * 6 // 100
    first = bring(district, without(full, tmp_path / "one", "enrollments.csv", total - step))
    assert first.outcome == "success"
    second = bring(district, without(full, tmp_path / "two", "enrollments.csv", total - 2 * step))
    assert {hazard["code"] for hazard in second.hold.hazards} == {"weekly-percent"}


def test_a_limit_of_the_districts_own_holds_a_single_deletion(district, full, tmp_path):
    set_limits(district, "enrollments", {"delete_number": 1})
    total = len(active(everything(reader_of(a_grant(district)), "/enrollments")))
    held = bring(district, without(full, tmp_path / "one", "enrollments.csv", total - 1))
    assert {hazard["code"] for hazard in held.hold.hazards} == {"delete-number"}


# --- Re-keying ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_rekeyed_district_is_relinked_and_apps_see_nothing_of_it(version, tmp_path, at_size):
    district = a_district()
    generate(tmp_path / "full", at_size(200, 5_000), 7, version=version)
    bring(district, tmp_path / "full")
    reader = reader_of(a_grant(district))
    paths = ("/users", "/enrollments", "/classes")
    before = {path: everything(reader, path) for path in paths}
    number = District.objects.get(pk=district.pk).publication
    people = User.objects.filter(district_id=district.pk).count()
    held = bring(district, rekey(tmp_path / "full", tmp_path / "rekeyed"))
    proposals = [hazard for hazard in held.hold.hazards if hazard["code"] == "rekey"]
    assert [(one["collection"], one["count"]) for one in proposals] == [("users", people)]
    again = holds.relink(held.hold, "Helen", WHY)
    assert again.outcome == "held"
    assert {hazard["code"] for hazard in again.hold.hazards} == {"relinked"}
    assert again.plan.counts["users"] == {"relink": people}
    assert not [one for actions in again.plan.counts.values() for one in actions if one != "relink"]
    assert holds.apply_once(again.hold, "Helen", WHY).outcome == "success"
    assert {path: everything(reader, path) for path in paths} == before
    assert District.objects.get(pk=district.pk).publication == number
    assert not User.objects.filter(district_id=district.pk).exclude(source_id__startswith="sis2-").exists()
    # The next night is an ordinary one.
    assert bring(district, tmp_path / "rekeyed").message == "Nothing changed."
    held.refresh_from_db()
    assert held.outcome == "replaced"


def test_a_relinked_person_who_loses_a_role_is_shown_without_it(district, full, tmp_path):
    held = bring(district, rekey(full, tmp_path / "rekeyed"))
    holds.apply_once(holds.relink(held.hold, "Helen", WHY).hold, "Helen", WHY)
    reader = reader_of(a_grant(district))
    students = [
        one for one in everything(reader, "/users", version="1.2") if one["roles"][0]["role"] == "student"
    ]
    loser, winner = students[0]["sourcedId"], students[1]["sourcedId"]
    roles = tmp_path / "rekeyed" / "roles.csv"
    text = roles.read_text(encoding="utf-8")
    roles.write_text(text.replace(f"sis2-{loser}", f"sis2-{winner}"), encoding="utf-8")
    assert bring(district, tmp_path / "rekeyed").plan.counts == {"roles": {"update": 1}}
    assert len(roles_of(reader, winner)) == 2
    # The role goes back: whoever lost it is known by an id that is not the delivered one.
    roles.write_text(text, encoding="utf-8")
    assert bring(district, tmp_path / "rekeyed").plan.counts == {"roles": {"update": 1}}
    assert len(roles_of(reader, winner)) == 1


def roles_of(reader: Reader, sourced_id: str) -> list[dict]:
    shown = {person["sourcedId"]: person for person in everything(reader, "/users", version="1.2")}
    return shown[sourced_id]["roles"]


def test_a_few_new_ids_are_a_correction(district, full, tmp_path):
    some = set(User.objects.filter(district_id=district.pk).values_list("source_id", flat=True)[:5])
    run = bring(district, rekey(full, tmp_path / "rekeyed", lambda one: one in some))
    assert run.outcome == "success"


def test_two_people_of_one_name_and_birth_are_never_paired_by_these(full, tmp_path):
    district = a_district("Lakeside")
    twin = all_ada_stone(full, tmp_path / "twins")
    deliver(district, twin)
    held = bring(district, rekey(twin, tmp_path / "rekeyed"))
    people = User.objects.filter(district_id=district.pk).count()
    pairs = sum(hazard["count"] for hazard in held.hold.hazards if hazard["code"] == "rekey")
    births = duckdb.sql(
        f"SELECT count(*) FILTER (n = 1) FROM (SELECT count(*) AS n FROM read_parquet('{place(held.plan.shelf_name)}')"
        " WHERE collection = 'demographics' AND action = 'delete' GROUP BY before->>'birthDate')"
    ).fetchall()[0][0]
    assert pairs == births < people


def test_only_what_looks_rekeyed_can_be_relinked(held):
    with pytest.raises(holds.NothingToRelink):
        holds.relink(held.hold, "Helen", WHY)
