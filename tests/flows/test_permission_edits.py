"""Permissions are looked at before they are saved, kept version by version, and approved by a second person where the district wants one."""

from pathlib import Path
from typing import Any

import pytest
import time_machine

from rollbook.engine.approval import Wanted
from rollbook.engine.scope import ALL, FULL, NONE, Choice, Rule, Scope, Treatment, basic, full
from rollbook.flows import approvals, permission_edits
from rollbook.flows.acting import acting
from rollbook.flows.apps import add_app
from rollbook.flows.opt_outs import NoSuchPerson, ReasonNeeded, opt_out, opt_outs_of, withdraw
from rollbook.flows.permission_edits import edit_permissions, preview_permissions
from rollbook.flows.publish import publish, publish_due
from rollbook.oneroster.filters import BadQuery
from rollbook.store.models import District, Grant, GrantVersion, Publication, ViewRow
from rollbook.store.visibility import NotVisible, record_ids
from tests import cast
from tests.console.roster import load_riverbend
from tests.delivered import a_district, a_grant, active, by_id, deliver, everything, ids, one, page, reader_of

pytestmark = pytest.mark.django_db

TREATED = (
    ("demographics", "birthDate", Treatment.MASK),
    ("users", "email", Treatment.OMIT),
    ("users", "familyName", Treatment.MASK),
    ("users", "givenName", Treatment.PSEUDONYMISE),
)


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


def school(district: District, *schools: str, **toggles: Any) -> Rule:
    return basic(Scope(Choice(ids=record_ids(district.pk, "orgs", schools)), ALL, **toggles), deleted=True)


# --- Fields -----------------------------------------------------------------------------------------------------------------------------


def test_fields_are_left_out_masked_and_replaced_for_one_app_alone(district: District) -> None:
    open_, closed, other = (
        a_grant(district, rule, app=name)
        for name, rule in (("open", FULL), ("closed", full(fields=TREATED)), ("other", full(fields=TREATED)))
    )
    for version in ("1.1", "1.2"):
        real, told, elsewhere = (
            one(reader_of(grant), "/users/{sourcedId}", cast.AMARA, version=version)
            for grant in (open_, closed, other)
        )
        assert "email" in real
        assert "email" not in told
        assert told["familyName"][0] == real["familyName"][0]
        assert told["familyName"] != real["familyName"]
        assert len({real["givenName"], told["givenName"], elsewhere["givenName"]}) == 3
    born, masked = (
        one(reader_of(grant), "/demographics/{sourcedId}", cast.AMARA)["birthDate"]
        for grant in (open_, closed)
    )
    assert masked in (f"{born[:4]}-01-01", f"{born[:4]}-09-01")


def test_a_pseudonym_outlives_imports_and_edits(district: District, tmp_path: Path) -> None:
    grant = a_grant(district, full(fields=TREATED))
    before = one(reader_of(grant), "/users/{sourcedId}", cast.AMARA)
    deliver(
        district,
        cast.riverbend(tmp_path / "next", {"users": {cast.AMARA: {"givenName": "Ama", "middleName": "N"}}}),
    )
    edit_permissions(grant, full(fields=TREATED[2:]))
    after = one(reader_of(grant), "/users/{sourcedId}", cast.AMARA)
    assert after["givenName"] == before["givenName"]
    assert after["middleName"] == "N"


def test_nothing_is_asked_by_what_is_not_shown(district: District) -> None:
    reader = reader_of(a_grant(district, full(fields=(*TREATED, ("users", "metadata", Treatment.OMIT)))))
    for name in ("email", "givenName", "metadata.house"):
        with pytest.raises(BadQuery):
            page(reader, "/users", filter=f"{name}='x'")
    with pytest.raises(BadQuery):
        page(reader, "/users", sort="familyName")
    with pytest.raises(BadQuery):
        page(reader, "/demographics", filter="birthDate>'2010-01-01'")
    assert page(reader, "/users", filter="username='aokonkwo'")[1] <= 1


def test_people_are_known_by_other_ids_wherever_they_are_named(district: District) -> None:
    ids = tuple((name, "sourcedId", Treatment.PSEUDONYMISE) for name in ("enrollments", "users"))
    plain, grant = (
        a_grant(district, full(guardians=True)),
        a_grant(district, full(guardians=True, fields=ids), app="aliased"),
    )
    for version in ("1.1", "1.2"):
        reader = reader_of(grant)
        users, enrollments, demographics = (
            by_id(everything(reader, f"/{name}", version=version))
            for name in ("users", "enrollments", "demographics")
        )
        assert len(users) == len(everything(reader_of(plain), "/users", version=version))
        assert not [
            name
            for name in [*users, *enrollments]
            if "-" in name and name.startswith(("student", "staff", "enrol"))
        ]
        assert set(demographics) <= set(users)
        assert {one_["user"]["sourcedId"] for one_ in enrollments.values()} <= set(users)
        agents = {agent["sourcedId"] for user in users.values() for agent in user.get("agents", ())}
        assert agents
        assert agents <= set(users)
        somebody = next(
            one_["user"]["sourcedId"] for one_ in enrollments.values() if one_["role"] == "student"
        )
        told = one(reader, "/students/{sourcedId}", somebody, version=version)
        assert told == users[somebody]
        assert not any(
            cast.AMARA in str(record)
            for record in (*users.values(), *enrollments.values(), *demographics.values())
        )
        theirs = {name for name, one_ in enrollments.items() if one_["user"]["sourcedId"] == somebody}
        found = everything(reader, "/enrollments", version=version, filter=f"user.sourcedId='{somebody}'")
        assert {one_["sourcedId"] for one_ in found} == theirs
        classes = everything(reader, "/students/{studentSourcedId}/classes", somebody, version=version)
        assert {one_["sourcedId"] for one_ in classes} == {
            enrollments[name]["class"]["sourcedId"] for name in theirs
        }
        assert page(reader, "/users", version=version, filter=f"sourcedId='{somebody}'")[1] == 1
        assert page(reader, "/users", version=version, filter=f"sourcedId='{cast.AMARA}'")[1] == 0
        ward = next(user for user in users.values() if user.get("agents"))
        named = everything(
            reader, "/users", version=version, filter=f"agents.sourcedId='{ward['agents'][0]['sourcedId']}'"
        )
        assert ward in named
        with pytest.raises(NotVisible):
            one(reader, "/users/{sourcedId}", cast.AMARA, version=version)
        with pytest.raises(BadQuery):
            page(reader, "/users", version=version, filter="sourcedId~'student'")


def test_a_mask_touches_the_whole_collection_for_that_app_and_nothing_else(district: District) -> None:
    grant, other = a_grant(district, FULL), a_grant(district, FULL, app="other")
    before = by_id(everything(reader_of(other), "/users"))
    edit_permissions(grant, full(fields=(("users", "phone", Treatment.OMIT),)))
    latest = Publication.objects.filter(district=district).latest("number").instant_text
    assert {record["dateLastModified"] for record in everything(reader_of(grant), "/users")} == {latest}
    assert latest not in {record["dateLastModified"] for record in everything(reader_of(grant), "/classes")}
    assert by_id(everything(reader_of(other), "/users")) == before


def test_a_walk_goes_on_when_permissions_are_edited_between_its_pages(district: District) -> None:
    grant = a_grant(district, FULL)
    first, total, _ = page(reader_of(grant), "/users", limit="20", offset="0")
    edit_permissions(grant, full(fields=TREATED))
    second, now, _ = page(reader_of(grant), "/users", limit="20", offset="20")
    assert (now, len(second)) == (total, 20)
    assert not {one_["sourcedId"] for one_ in first} & {one_["sourcedId"] for one_ in second}


def test_what_cannot_be_done_with_a_field_is_refused(district: District) -> None:
    grant = a_grant(district)
    for name, treatment in (
        ("givenName", Treatment.OMIT),
        ("password", Treatment.SHARE),
        ("shoeSize", Treatment.OMIT),
    ):
        with pytest.raises(permission_edits.NoSuchTreatment):
            edit_permissions(grant, full(fields=(("users", name, treatment),)))


# --- Opting out -------------------------------------------------------------------------------------------------------------------------


def test_who_opts_out_of_one_app_is_gone_there_and_stays_elsewhere(
    district: District, tmp_path: Path
) -> None:
    grant, other = a_grant(district, FULL), a_grant(district, FULL, app="other")
    made = opt_out(district, cast.AMARA, grant, "a parent's letter")
    for round_ in range(2):
        told = one(reader_of(grant), "/users/{sourcedId}", cast.AMARA)
        assert told["status"] == "tobedeleted"
        assert "okonkwo" not in str(told).lower()
        for path in ("/enrollments", "/demographics"):
            alive = [record for record in everything(reader_of(grant), path) if record["status"] == "active"]
            assert cast.AMARA not in str(alive)
        assert one(reader_of(other), "/users/{sourcedId}", cast.AMARA)["status"] == "active"
        if not round_:
            deliver(district, cast.riverbend(tmp_path / "next", {"users": {cast.AMARA: {"middleName": "N"}}}))
    withdraw(made)
    assert one(reader_of(grant), "/users/{sourcedId}", cast.AMARA)["status"] == "active"
    assert [one_.withdrawn_at is not None for one_ in opt_outs_of(district, withdrawn=True)] == [True]


def test_who_opts_out_of_every_app_is_in_none_and_in_none_that_comes(district: District) -> None:
    grants = [a_grant(district, FULL), a_grant(district, school(district, cast.RIVERBEND_HIGH), app="high")]
    opt_out(district, cast.AMARA, None, "a court's order")
    for grant in grants:
        assert cast.AMARA not in active(everything(reader_of(grant), "/users"))
    late = a_grant(district, FULL, app="late")
    assert cast.AMARA not in active(everything(reader_of(late), "/users"))
    assert late.view_id == Grant.objects.get(pk=grants[0].pk).view_id, "what all share needs one working"


def test_a_guardian_leaves_with_the_child_who_opted_out(district: District) -> None:
    grant = a_grant(district, full(guardians=True))
    assert cast.CARMEN in active(everything(reader_of(grant), "/users"))
    wards = [
        user["sourcedId"]
        for user in everything(reader_of(grant), "/users")
        if cast.CARMEN in str(user.get("agents"))
    ]
    for ward in wards:
        opt_out(district, ward, grant, "a letter")
    assert cast.CARMEN not in active(everything(reader_of(grant), "/users"))


def test_an_opt_out_holds_from_its_first_to_its_last_day(district: District) -> None:
    with time_machine.travel("2027-03-01T12:00:00-06:00", tick=False):
        grant = a_grant(district, FULL)
        opt_out(district, cast.AMARA, grant, "for a week", starts_on="2027-03-02", ends_on="2027-03-03")
        assert cast.AMARA in active(everything(reader_of(grant), "/users"))
    for day, is_there in (("02", False), ("03", False), ("04", True)):
        with time_machine.travel(f"2027-03-{day}T00:00:30-06:00", tick=False):
            publish_due(district.pk)
            assert (cast.AMARA in active(everything(reader_of(grant), "/users"))) is is_there, day


def test_who_opts_out_before_anything_is_served_is_served_to_nobody(db: None) -> None:
    district = a_district("Never served")
    load_riverbend(district)
    rule = school(district, cast.RIVERBEND_HIGH)
    grants = [a_grant(district, rule), a_grant(district, rule, app="other")]
    for grant in (grants[0], None):
        withdraw(opt_out(district, cast.NOOR, grant, "a letter"))
    opt_out(district, cast.AMARA, grants[0], "a letter")
    publish(district.pk, None, "the first")
    told = [{cast.NOOR, cast.AMARA} & ids(everything(reader_of(one_), "/users")) for one_ in grants]
    assert told == [{cast.NOOR}, {cast.NOOR, cast.AMARA}]


def test_an_opt_out_says_who_and_why(district: District) -> None:
    with pytest.raises(ReasonNeeded):
        opt_out(district, cast.AMARA, None, " ")
    with pytest.raises(NoSuchPerson):
        opt_out(district, "nobody", None, "a letter")
    with pytest.raises(permission_edits.NotADay):
        opt_out(district, cast.AMARA, None, "a letter", starts_on="2027-03-03", ends_on="2027-03-02")


# --- Days -------------------------------------------------------------------------------------------------------------------------------


def test_a_grant_shows_nothing_before_its_first_day_and_after_its_last(district: District) -> None:
    with time_machine.travel("2027-03-01T12:00:00-06:00", tick=False):
        grant = Grant(district=district, app=add_app("A dated app"))
        edit_permissions(grant, FULL, ("2027-03-02", "2027-03-02"))
        assert not active(everything(reader_of(grant), "/users"))
    for day, is_there in (("02", True), ("03", False)):
        with time_machine.travel(f"2027-03-{day}T00:00:30-06:00", tick=False):
            publish_due(district.pk)
            assert bool(active(everything(reader_of(grant), "/users"))) is is_there, day


def test_days_that_hold_today_change_nothing_of_what_is_read(district: District) -> None:
    grant = a_grant(district, FULL)
    before = by_id(everything(reader_of(grant), "/users"))
    edit_permissions(grant, FULL, ("2020-01-01", None))
    assert Grant.objects.get(pk=grant.pk).view_id is not None
    assert by_id(everything(reader_of(grant), "/users")) == before


# --- Before saving ----------------------------------------------------------------------------------------------------------------------


def test_what_is_shown_before_saving_is_what_comes_and_goes(district: District) -> None:
    grant = a_grant(district, school(district, cast.RIVERBEND_HIGH))
    rule = basic(
        *school(district, cast.RIVERBEND_MIDDLE, unenrolled=True).scopes, deleted=True, fields=TREATED
    )
    rows = ViewRow.objects.count(), Publication.objects.count()
    shown = preview_permissions(grant, rule)
    assert (ViewRow.objects.count(), Publication.objects.count()) == rows, "nothing was written"
    before = {
        name: active(everything(reader_of(grant), f"/{name}"))
        for name in ("users", "classes", "enrollments", "orgs")
    }
    edit_permissions(grant, rule)
    for counts in shown.counts:
        if counts.collection in before:
            after = active(everything(reader_of(grant), f"/{counts.collection}"))
            known = before[counts.collection]
            assert (counts.now, counts.then, counts.added, counts.removed) == (
                len(known), len(after), len(after - known), len(known - after),
            )  # fmt: skip
    assert [one.sourced_id for one in shown.reference] == [cast.DISTRICT]
    by_school = {place.sourced_id: place for place in shown.places}
    assert by_school[cast.RIVERBEND_MIDDLE].people_added > 0
    assert by_school[cast.RIVERBEND_HIGH].classes_removed > 0
    assert by_school[cast.RIVERBEND_HIGH].people_added == 0


def test_three_people_are_shown_as_the_app_will_see_them(district: District) -> None:
    grant = a_grant(district, FULL)
    shown = preview_permissions(grant, full(fields=TREATED))
    assert len(shown.examples) == 3
    edit_permissions(grant, full(fields=TREATED))
    for example in shown.examples:
        assert example.before is not None
        assert example.after is not None
        told = one(reader_of(grant), "/users/{sourcedId}", example.sourced_id, version="1.2")
        assert example.after["givenName"] == told["givenName"] != example.before["givenName"]
        assert "email" not in example.after


def test_an_app_that_is_only_being_added_can_be_looked_at(district: District) -> None:
    shown = preview_permissions(Grant(district=district, app=add_app("New")), FULL)
    assert shown.people_added == cast.COUNTS["users"] - 8
    assert shown.people_removed == 0
    assert shown.reference == ()


# --- Versions ---------------------------------------------------------------------------------------------------------------------------


def test_every_version_is_kept_and_can_be_saved_again(district: District) -> None:
    grant = a_grant(district, FULL)
    with acting("ann@riverbend.example", "console"):
        edit_permissions(
            grant, school(district, cast.RIVERBEND_HIGH), ("2026-01-01", None), why="only high school"
        )
        edit_permissions(grant, NONE)
        permission_edits.restore(grant, 2)
    versions = list(permission_edits.versions_of(grant))
    assert [one_.number for one_ in versions] == [4, 3, 2, 1]
    assert (versions[2].by, versions[2].why) == ("ann@riverbend.example", "only high school")
    assert versions[0].rule == versions[2].rule
    assert (grant.starts_on, grant.ends_on) == ("2026-01-01", None)
    assert active(everything(reader_of(grant), "/orgs")) == {cast.RIVERBEND_HIGH, cast.DISTRICT}
    with pytest.raises(permission_edits.NoSuchVersion):
        permission_edits.restore(grant, 9)


def test_permissions_are_copied_within_a_district(district: District) -> None:
    source, grant = (
        a_grant(district, school(district, cast.RIVERBEND_HIGH)),
        a_grant(district, NONE, app="other"),
    )
    permission_edits.copy_permissions(source, grant)
    assert active(everything(reader_of(grant), "/users")) == active(everything(reader_of(source), "/users"))
    elsewhere = a_grant(a_district("Elsewhere"), FULL, app="third")
    with pytest.raises(permission_edits.OtherDistrict):
        permission_edits.copy_permissions(source, elsewhere)


# --- A second person --------------------------------------------------------------------------------------------------------------------


def test_an_edit_waits_for_a_second_person_who_is_not_the_first(district: District) -> None:
    approvals.set_approval(district, Wanted(full=True, people=5))
    grant = a_grant(district, school(district, cast.RIVERBEND_HIGH))
    with acting("ann@riverbend.example", "console"):
        request = edit_permissions(grant, FULL, why="they pay for it")
        assert request is not None
        assert request.reasons == ["full", "people"]
        with pytest.raises(approvals.OneNotTwo):
            approvals.approve(request)
    with acting("Ann@riverbend.example (token 3)", "API"), pytest.raises(approvals.OneNotTwo):
        approvals.approve(request)
    assert GrantVersion.objects.filter(grant=grant).count() == 1
    with acting("ben@riverbend.example", "console"):
        approvals.approve(request, "fine")
        with pytest.raises(approvals.NoSuchRequest):
            approvals.reject(request, "too late")
    latest = permission_edits.versions_of(grant)[0]
    assert (latest.by, latest.why) == (
        "ann@riverbend.example, approved by ben@riverbend.example",
        "they pay for it",
    )
    assert len(active(everything(reader_of(grant), "/orgs"))) == cast.COUNTS["orgs"]


def test_a_new_app_sees_nothing_until_somebody_else_agrees(district: District) -> None:
    approvals.set_approval(district, Wanted(demographics=True))
    grant = Grant(district=district, app=add_app("Another"))
    with acting("ann@riverbend.example", "console"):
        request = edit_permissions(grant, school(district, cast.RIVERBEND_HIGH))
        assert request is not None
        with pytest.raises(NotVisible):
            one(reader_of(grant), "/users/{sourcedId}", cast.AMARA)
        approvals.withdraw(request)
        assert not approvals.open_requests(district)
        assert edit_permissions(grant, school(district, cast.RIVERBEND_HIGH, demographics=False)) is None


def test_what_was_asked_of_other_permissions_is_not_approved(district: District) -> None:
    approvals.set_approval(district, Wanted(full=True))
    grant = a_grant(district, NONE)
    with acting("ann@riverbend.example", "console"):
        request = edit_permissions(grant, FULL)
        assert request is not None
        edit_permissions(grant, school(district, cast.RIVERBEND_HIGH))
    with acting("ben@riverbend.example", "console"), pytest.raises(approvals.PermissionsMoved):
        approvals.approve(request)
