"""What is served follows the roster, the grants and the calendar, and is stamped with the publication in which it changed."""

from pathlib import Path

import pytest
import time_machine
from django.db import connections, router
from django.test.utils import CaptureQueriesContext

from rollbook.engine.scope import FULL, full
from rollbook.flows.publish import publish, publish_due, set_rule
from rollbook.generator import riverbend
from rollbook.store import publishing, target
from rollbook.store.models import District, Pin, Publication, Served, ViewRow
from rollbook.store.visibility import NotVisible, basic
from tests import cast
from tests.delivered import (
    a_district,
    a_grant,
    a_grant_to,
    active,
    by_id,
    deliver,
    everything,
    instant,
    one,
    operation,
    page,
    reader_of,
)
from tests.installation import ON_POSTGRESQL

pytestmark = pytest.mark.django_db


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


def test_a_full_grant_sees_everybody_but_guardians(district: District) -> None:
    reader = reader_of(a_grant(district))
    users = by_id(everything(reader, "/users"))
    assert len(users) == cast.COUNTS["users"] - 8
    assert cast.NOAH in users, "an unenrolled student"
    assert cast.ADAEZE not in users, "a guardian"
    assert "agents" not in users[cast.AMARA], "a guardian out of sight is not referred to"


def test_every_reference_served_can_be_followed(district: District) -> None:
    rules = (
        FULL,
        basic(district.pk, [cast.RIVERBEND_MIDDLE]),
        basic(district.pk, [cast.RIVERBEND_HIGH, cast.RIVERBEND_ELEMENTARY]),
    )
    for number, rule in enumerate(rules):
        reader = reader_of(a_grant(district, rule, app=f"App {number}"))
        for version in ("1.1", "1.2"):
            served = {
                name: by_id(everything(reader, f"/{name}", version=version))
                for name in (
                    "orgs",
                    "academicSessions",
                    "courses",
                    "classes",
                    "users",
                    "enrollments",
                    "demographics",
                    "resources",
                )
            }
            known = {f"{name}/{sourced_id}" for name, records in served.items() for sourced_id in records}
            for records in served.values():
                for record in records.values():
                    for href in _hrefs(record):
                        assert href.rsplit("/ims/oneroster/")[-1] in known, (version, record)


def test_who_named_somebody_gone_is_told_without_them_however_few_are_looked_at_at_once(
    district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = reader_of(a_grant(district, full(guardians=True)))
    before = by_id(everything(reader, "/users"))
    for limit in ("PIECE", "CLASSES", "USERS"):
        monkeypatch.setattr(publishing, limit, 2)
    monkeypatch.setattr(target, "CHUNK", 2)
    renamed = [cast.NOAH, cast.MR_OKAFOR, "student-030", "student-031", "student-032"]
    gone = {
        "users": {cast.ADAEZE: None, **{one: {"middleName": f"New {one}"} for one in renamed}},
        "roles": _of(cast.ADAEZE, "roles"),
    }
    deliver(district, cast.riverbend(tmp_path / "next", gone))
    after = by_id(everything(reader, "/users"))
    changed = {one for one in before if before[one] != after.get(one)}
    wards = {one for one, user in before.items() if cast.ADAEZE in str(user.get("agents"))}
    assert cast.AMARA in wards
    assert changed == wards | {cast.ADAEZE, *renamed}
    assert {one: after[one].get("middleName") for one in renamed} == {one: f"New {one}" for one in renamed}
    assert cast.ADAEZE not in str([after[one].get("agents") for one in wards])


def _hrefs(value: object) -> list[str]:
    if isinstance(value, dict):
        found = [value["href"]] if "href" in value else []
        return found + [href for inner in value.values() for href in _hrefs(inner)]
    return [href for inner in value for href in _hrefs(inner)] if isinstance(value, list) else []


def test_a_school_is_seen_with_its_people_and_its_district_for_reference(district: District) -> None:
    reader = reader_of(a_grant_to(district, cast.RIVERBEND_HIGH))
    assert active(everything(reader, "/orgs")) == {cast.RIVERBEND_HIGH, cast.DISTRICT}
    [office] = [org for org in everything(reader, "/orgs") if org["sourcedId"] == cast.DISTRICT]
    assert [child["sourcedId"] for child in office["children"]] == [cast.RIVERBEND_HIGH]
    users = by_id(everything(reader, "/users"))
    assert cast.MS_BRANDT not in users, "the district office does not come along"
    assert cast.NOAH not in users, "nor do the unenrolled"
    assert [org["sourcedId"] for org in users[cast.MR_OKAFOR]["orgs"]] == [cast.RIVERBEND_HIGH]


def test_who_has_no_role_left_has_the_role_of_the_enrollment(district: District) -> None:
    reader = reader_of(a_grant_to(district, cast.RIVERBEND_HIGH))
    lucia = one(reader, "/users/{sourcedId}", cast.LUCIA)
    assert (lucia["role"], [org["sourcedId"] for org in lucia["orgs"]]) == ("student", [cast.RIVERBEND_HIGH])
    newer = one(reader, "/users/{sourcedId}", cast.LUCIA, version="1.2")
    assert [(role["role"], role["org"]["sourcedId"], role["roleType"]) for role in newer["roles"]] == [
        ("student", cast.RIVERBEND_HIGH, "primary")
    ]


def test_out_of_scope_is_as_if_absent(district: District) -> None:
    reader = reader_of(a_grant_to(district, cast.RIVERBEND_HIGH))
    for path, sourced_id in (
        ("/users/{sourcedId}", cast.MS_BRANDT),
        ("/orgs/{sourcedId}", cast.RIVERBEND_MIDDLE),
        ("/classes/{sourcedId}", cast.MATH_7),
        ("/users/{sourcedId}", "nobody"),
    ):
        with pytest.raises(NotVisible):
            one(reader, path, sourced_id)


def test_a_change_is_stamped_with_its_publication_and_nothing_else_moves(
    district: District, tmp_path: Path
) -> None:
    reader = reader_of(a_grant(district))
    before = by_id(everything(reader, "/users"))
    run = deliver(
        district, cast.riverbend(tmp_path / "next", {"users": {cast.AMARA: {"middleName": "Ngozi"}}})
    )
    after = by_id(everything(reader, "/users"))
    assert after[cast.AMARA]["dateLastModified"] == instant(district, run.publication)
    assert after[cast.AMARA]["middleName"] == "Ngozi"
    assert {key: record for key, record in after.items() if key != cast.AMARA} == {
        key: record for key, record in before.items() if key != cast.AMARA
    }


def test_the_same_package_in_another_order_writes_nothing(district: District, tmp_path: Path) -> None:
    package = cast.riverbend(tmp_path / "again")
    for file in ("users.csv", "enrollments.csv", "roles.csv"):
        header, *lines = (package / file).read_text(encoding="utf-8").splitlines(keepends=True)
        (package / file).write_text("".join([header, *reversed(lines)]), encoding="utf-8")
    counts = Served.objects.count(), Publication.objects.count()
    run = deliver(district, package)
    assert (run.outcome, run.publication) in {("success", None), ("success", 1)}
    assert (Served.objects.count(), Publication.objects.count()) == counts


def test_what_is_missing_becomes_a_tombstone_that_tells_nothing(district: District, tmp_path: Path) -> None:
    grant = a_grant_to(district, cast.RIVERBEND_HIGH)
    for reader in (reader_of(a_grant(district)), reader_of(grant)):
        assert one(reader, "/users/{sourcedId}", cast.TOMAS)["status"] == "active"
    gone = {cast.TOMAS: None}
    edits = {
        "users": gone,
        "demographics": gone,
        "roles": _of(cast.TOMAS, "roles"),
        "enrollments": _of(cast.TOMAS, "enrollments"),
    }
    run = deliver(district, cast.riverbend(tmp_path / "next", edits))
    for reader in (reader_of(a_grant(district, app="another")), reader_of(grant)):
        for version in ("1.1", "1.2"):
            tomas = one(reader, "/users/{sourcedId}", cast.TOMAS, version=version)
            assert tomas["status"] == "tobedeleted"
            assert tomas["dateLastModified"] == instant(district, run.publication)
            assert not any(tomas.get(name) for name in ("givenName", "familyName", "username", "email"))
            assert tomas["sourcedId"] in {
                record["sourcedId"] for record in everything(reader, "/students", version=version)
            }
    back = deliver(district, cast.riverbend(tmp_path / "back"))
    assert one(reader, "/users/{sourcedId}", cast.TOMAS)["dateLastModified"] == instant(
        district, back.publication
    )
    assert one(reader, "/users/{sourcedId}", cast.TOMAS)["status"] == "active"


def _of(person: str, table: str) -> dict[str, None]:
    return {row["sourcedId"]: None for row in riverbend.rows("1.2")[table] if row["userSourcedId"] == person}


def test_a_change_a_view_does_not_show_does_not_move_its_date(district: District, tmp_path: Path) -> None:
    """MR_OKAFOR teaches at two schools; a change of his role at the middle school is nothing to an app of the high school."""
    high = reader_of(a_grant_to(district, cast.RIVERBEND_HIGH))
    whole = reader_of(a_grant(district))
    before, before_full = (
        one(reader, "/users/{sourcedId}", cast.MR_OKAFOR, version="1.2") for reader in (high, whole)
    )
    role = next(
        role
        for role in _of(cast.MR_OKAFOR, "roles")
        if cast.record("roles", role)["orgSourcedId"] == cast.RIVERBEND_MIDDLE
    )
    deliver(district, cast.riverbend(tmp_path / "next", {"roles": {role: {"beginDate": "2020-08-01"}}}))
    assert one(high, "/users/{sourcedId}", cast.MR_OKAFOR, version="1.2") == before
    assert one(whole, "/users/{sourcedId}", cast.MR_OKAFOR, version="1.2") != before_full


def test_an_edited_grant_tells_entries_and_exits_in_its_next_delta(district: District) -> None:
    grant = a_grant_to(district, cast.RIVERBEND_HIGH)
    before = by_id(everything(reader_of(grant), "/users"))
    publication = set_rule(grant, basic(district.pk, [cast.RIVERBEND_MIDDLE], deleted=True), "a test")
    assert publication is not None
    after = by_id(everything(reader_of(grant), "/users"))
    assert set(before) < set(after), "who left is still told of"
    for sourced_id in before:
        if after[sourced_id]["status"] == "tobedeleted":
            assert after[sourced_id]["dateLastModified"] == publication.instant_text
    fresh = by_id(everything(reader_of(a_grant_to(district, cast.RIVERBEND_MIDDLE, app="fresh")), "/users"))
    assert active(list(after.values())) == set(fresh)
    assert all(
        after[key]["dateLastModified"] == publication.instant_text for key in fresh if key not in before
    )


def test_an_edit_of_one_grant_is_nothing_to_another_with_the_same_rule(district: District) -> None:
    first, second = (a_grant_to(district, cast.RIVERBEND_HIGH, app=name) for name in ("first", "second"))
    assert first.view_id == second.view_id, "one working for one rule"
    before = everything(reader_of(second), "/users")
    set_rule(first, FULL, "a test")
    assert everything(reader_of(second), "/users") == before
    assert active(everything(reader_of(first), "/users")) == active(
        everything(reader_of(a_grant(district, app="third")), "/users")
    )


def test_grants_to_everything_keep_no_rows(district: District) -> None:
    a_grant(district)
    assert not ViewRow.objects.exists()


def test_publishing_again_changes_nothing(district: District) -> None:
    a_grant_to(district, cast.RIVERBEND_HIGH)
    assert publish(district.pk, None, "again") is None


@pytest.mark.parametrize("by", ["the calendar", "an import"])
def test_a_role_that_begins_is_published_at_the_districts_midnight(tmp_path: Path, by: str) -> None:
    """LI_WU's one role of today ends, and a teacher's begins, on 2 March in Chicago; whoever publishes first on that day takes it along."""
    with time_machine.travel("2027-03-01T12:00:00-06:00", tick=False):
        district = a_district()
        role = next(iter(_of(cast.LI_WU, "roles")))
        later = {
            **cast.record("roles", role),
            "sourcedId": "role-later",
            "role": "teacher",
            "beginDate": "2027-03-02",
            "roleType": "secondary",
        }
        edits = {"roles": {role: {"endDate": "2027-03-02"}, "role-later": later}}
        deliver(district, cast.riverbend(tmp_path / "first", edits))
        reader = reader_of(a_grant(district))
        assert one(reader, "/users/{sourcedId}", cast.LI_WU)["role"] == "aide"
    with time_machine.travel("2027-03-01T23:59:00-06:00", tick=False):
        assert publish_due(district.pk) is None
    with time_machine.travel("2027-03-02T00:00:30-06:00", tick=False):
        if by == "an import":
            edits["users"] = {cast.KOFI: {"givenName": "Kofi Kwame"}}
            deliver(district, cast.riverbend(tmp_path / "second", edits))
        else:
            publish_due(district.pk)
        publication = Publication.objects.filter(district=district).latest("number")
        assert publication.local_date == "2027-03-02"
        assert one(reader, "/users/{sourcedId}", cast.LI_WU)["role"] == "teacher"
        assert publish_due(district.pk) is None, "once a day"


def test_instants_grow_even_if_the_clock_does_not(tmp_path: Path) -> None:
    with time_machine.travel("2027-03-01T12:00:00Z", tick=False):
        district = a_district()
        for night in range(3):
            deliver(
                district,
                cast.riverbend(tmp_path / str(night), {"users": {cast.AMARA: {"middleName": f"N{night}"}}}),
            )
    instants = list(
        Publication.objects.filter(district=district).order_by("number").values_list("instant", flat=True)
    )
    assert len(instants) == 3
    assert instants == sorted(set(instants))


def test_a_walk_reads_one_publication_whatever_happens_between_its_pages(
    district: District, tmp_path: Path
) -> None:
    grants = [a_grant(district), a_grant_to(district, cast.RIVERBEND_HIGH)]
    for number, grant in enumerate(grants):
        reader = reader_of(grant, credential=number + 1)
        whole = everything(reader, "/enrollments")
        walked, night = [], 0
        while True:
            records, total, _ = page(reader, "/enrollments", limit="60", offset=str(len(walked)))
            assert total == len(whole)
            walked += records
            if len(walked) >= len(whole):
                break
            night += 1
            some = list(_of(cast.AMARA, "enrollments"))[: night % 3]
            extra = {
                f"extra-{number}-{night}": {
                    **cast.record("enrollments", "enrollment-advisory-11-12-01"),
                    "userSourcedId": cast.MS_VOLKOVA,
                }
            }
            extra[f"extra-{number}-{night}"].pop("sourcedId")
            deliver(
                district,
                cast.riverbend(
                    tmp_path / f"{number}-{night}", {"enrollments": {**dict.fromkeys(some), **extra}}
                ),
            )
        assert walked == whole


def test_a_walk_by_filter_or_order_is_pinned_too(district: District, tmp_path: Path) -> None:
    reader = reader_of(a_grant(district))
    for query in ({"filter": "status='active'"}, {"sort": "familyName", "orderBy": "desc"}):
        whole = everything(reader, "/users", **query)
        walked: list[dict[str, object]] = []
        while True:
            records, total, _ = page(reader, "/users", limit="24", offset=str(len(walked)), **query)
            assert total == len(whole)
            walked += records
            if len(walked) >= len(whole):
                break
            edits = {
                "users": {
                    cast.AMARA: {"familyName": f"Aa{len(walked)}"},
                    f"new-{len(walked)}": _somebody(len(walked)),
                }
            }
            edits["roles"] = {f"new-{len(walked)}-role": _some_role(f"new-{len(walked)}")}
            deliver(district, cast.riverbend(tmp_path / f"{len(query)}-{len(walked)}", edits))
        assert walked == whole
        deliver(district, cast.riverbend(tmp_path / f"{len(query)}-back"))


def _somebody(number: int) -> dict[str, str]:
    return {
        **cast.record("users", cast.MS_VOLKOVA),
        "sourcedId": f"new-{number}",
        "username": f"new{number}",
        "identifier": f"N{number}",
    }


def _some_role(person: str) -> dict[str, str]:
    role = next(iter(_of(cast.MS_VOLKOVA, "roles")))
    return {**cast.record("roles", role), "sourcedId": f"{person}-role", "userSourcedId": person}


def test_a_walk_is_let_go_thirty_minutes_after_its_last_page(district: District, tmp_path: Path) -> None:
    reader = reader_of(a_grant(district))
    _, _, first = page(reader, "/users", limit="10", now_ms=0)
    deliver(district, cast.riverbend(tmp_path / "next", {"users": {cast.AMARA: {"middleName": "Ngozi"}}}))
    minutes = 60_000
    assert page(reader, "/users", limit="10", offset="10", now_ms=29 * minutes)[2] == first
    assert page(reader, "/users", limit="10", offset="20", now_ms=58 * minutes)[2] == first
    assert page(reader, "/users", limit="10", offset="30", now_ms=89 * minutes)[2] == first + 1


def test_a_walk_that_goes_on_is_noted_once_a_minute_and_does_not_wait_for_the_disk(
    district: District,
) -> None:
    reader = reader_of(a_grant(district))
    page(reader, "/users", limit="10", now_ms=0)
    for now, noted in ((59_000, 0), (60_000, 60_000), (61_000, 60_000), (120_000, 120_000)):
        with CaptureQueriesContext(connections[router.db_for_write(Pin)]) as asked:
            page(reader, "/users", limit="10", offset="10", now_ms=now)
        assert Pin.objects.get().last_page_at == noted
        is_noted = any("store_pin" in one["sql"] for one in asked)
        assert is_noted == (noted == now)
        if is_noted and ON_POSTGRESQL:
            assert any("synchronous_commit = off" in one["sql"] for one in asked)


def test_a_walk_that_begins_anew_with_all_there_is_is_not_led_back_to_the_former_one(
    district: District, tmp_path: Path
) -> None:
    reader = reader_of(a_grant(district, basic(district.pk, [cast.RIVERBEND_HIGH])))
    _, before, first = page(reader, "/enrollments", limit="1")
    fewer: cast.Edits = {"enrollments": {"enrollment-algebra-1-06": None}}
    deliver(district, cast.riverbend(tmp_path / "next", fewer))
    records, total, second = page(reader, "/enrollments", limit="2000", offset="0")
    assert (len(records), total, second) == (before - 1, before - 1, first + 1)
    assert page(reader, "/enrollments", limit="2000", offset=str(total)) == ([], total, second)


def test_a_client_that_polls_without_pause_ends_equal_to_a_full_read(
    district: District, tmp_path: Path
) -> None:
    whole, school = a_grant(district), a_grant_to(district, cast.RIVERBEND_HIGH)
    readers = [reader_of(whole), reader_of(school)]
    held: list[dict[str, dict[str, object]]] = [by_id(everything(reader, "/users")) for reader in readers]
    for night in range(1, 5):
        edits = {"users": {cast.AMARA: {"middleName": f"N{night}"}, f"new-{night}": _somebody(night)}}
        edits["roles"] = {f"new-{night}-role": _some_role(f"new-{night}")}
        if night % 2:
            edits["enrollments"] = dict.fromkeys(_of(cast.LIAM, "enrollments"))
        deliver(district, cast.riverbend(tmp_path / str(night), edits))
        for reader, known in zip(readers, held, strict=True):
            cursor = max(str(record["dateLastModified"]) for record in known.values())
            for record in everything(reader, "/users", limit=3, filter=f"dateLastModified>'{cursor}'"):
                known[record["sourcedId"]] = record
    for reader, known in zip(readers, held, strict=True):
        assert known == by_id(everything(reader, "/users"))


def test_operations_named_here_exist() -> None:
    assert operation("/users/{sourcedId}", "1.2").operation_id == "getUser"
