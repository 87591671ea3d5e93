"""A package is what the app reads by REST, as CSV: valid by our own validator, the same bytes each time, and right as changes too."""

import os
import zipfile
from random import Random

import pytest

from rollbook.engine.scope import FULL, Rule, Treatment, full
from rollbook.flows.apps import add_app
from rollbook.flows.publish import publish, set_rule
from rollbook.generator import riverbend
from rollbook.oneroster.tables import BINDINGS
from rollbook.store.models import District, Grant
from rollbook.store.visibility import basic
from tests import cast
from tests.delivered import a_grant, a_grant_to, active, deliver, everything, reader_of
from tests.flows.packages import modes_of, package_of, rows_of, take_in, wrong_with
from tests.scoping import SETS, Roster, Seen, random_roster, random_rule, references, seen, served_id, store

pytestmark = pytest.mark.django_db

DISTRICTS = 200 if os.environ.get("ROLLBOOK_TEST_LONG") else 10
FIRST_NUMBER = 4_000_000
"""What is remembered of a publication is by the district's number: no two districts of a run share one."""

COLUMNS = {
    "parent": "parentSourcedId", "schoolYear": "schoolYearSourcedId", "course": "courseSourcedId", "school": "schoolSourcedId",
    "terms": "termSourcedIds", "agents": "agentSourcedIds", "user": "userSourcedId", "class": "classSourcedId",
}  # fmt: skip
LINKS = {"classes": ("classResources", "classSourcedId"), "courses": ("courseResources", "courseSourcedId")}


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_package_is_valid_and_has_what_rest_reads(district, tmp_path, version):
    guardians = basic(district.pk, [cast.RIVERBEND_ELEMENTARY], guardians=True)
    for grant in (
        a_grant(district),
        a_grant_to(district, cast.RIVERBEND_MIDDLE),
        a_grant(district, guardians, app="With guardians"),
    ):
        package = package_of(grant, tmp_path, version)
        assert package is not None
        assert wrong_with(package.path, tmp_path) == []
        rows = rows_of(package.path)
        assert package.counts == {f"{name}.csv": len(some) for name, some in rows.items()}
        assert set(modes_of(package.path).values()) == {"bulk"}
        for collection in SETS:
            served = active(everything(reader_of(grant), f"/{collection}", version=version))
            assert {row["sourcedId"] for row in rows.get(collection, [])} == served, collection
        again = package_of(grant, tmp_path, version)
        assert again is not None
        assert again.sha256 == package.sha256


def test_each_row_says_what_was_delivered(district, tmp_path):
    package = package_of(a_grant(district), tmp_path)
    assert package is not None
    rows = rows_of(package.path)
    told_by_rest = {
        "enrollments": ("primary",),
        "orgs": ("identifier",),
        "users": ("agentSourcedIds", "password"),
    }
    for table in ("orgs", "academicSessions", "courses", "classes", "users", "enrollments", "demographics"):
        for row in rows[table]:
            delivered = cast.record(table, row["sourcedId"])
            for name, text in row.items():
                if name not in ("status", "dateLastModified", *told_by_rest.get(table, ())):
                    assert text == delivered.get(name, ""), (table, row["sourcedId"], name)
    people = {row["sourcedId"] for row in rows["users"]}
    told = ("userSourcedId", "orgSourcedId", "role", "roleType", "beginDate", "endDate")
    assert _told(rows["roles"], told) == _told(riverbend.rows("1.2")["roles"], told, people)
    told = (
        "sourcedId",
        "userSourcedId",
        "profileType",
        "vendorId",
        "applicationId",
        "credentialType",
        "username",
    )
    assert _told(rows["userProfiles"], told) == _told(riverbend.rows("1.2")["userProfiles"], told, people)
    named = {row["userProfileSourcedId"] for row in rows["roles"]} - {""}
    assert named == {row["userProfileSourcedId"] for row in riverbend.rows("1.2")["roles"]} - {""}


def _told(
    rows: list[dict[str, str]], names: tuple[str, ...], people: set[str] | None = None
) -> set[tuple[str, ...]]:
    return {
        tuple(row[name] for name in names) for row in rows if people is None or row["userSourcedId"] in people
    }


def test_there_is_no_file_for_what_a_toggle_withholds(district, tmp_path):
    rule = basic(district.pk, [cast.RIVERBEND_MIDDLE], demographics=False, resources=False)
    package = package_of(a_grant(district, rule), tmp_path)
    assert package is not None
    assert not {"demographics", "resources", "classResources", "courseResources"} & set(rows_of(package.path))


def test_changes_say_what_is_new_what_differs_and_what_is_gone(district, tmp_path):
    grant = a_grant(district)
    first, before = package_of(grant, tmp_path), district.publication
    enrolled = {
        "classSourcedId": cast.ART,
        "schoolSourcedId": cast.RIVERBEND_HIGH,
        "userSourcedId": cast.NOOR,
        "role": "student",
    }
    edits = {
        "users": {cast.AMARA: {"givenName": "Amarachi"}, cast.NOAH: None},
        "roles": {_role_of(cast.NOAH): None},
        "demographics": {cast.NOAH: None},
        "enrollments": {"enr-new": enrolled},
    }
    deliver(district, cast.riverbend(tmp_path / "second", edits))
    changes, whole = package_of(grant, tmp_path, since=before), package_of(grant, tmp_path)
    assert first is not None
    assert changes is not None
    assert whole is not None
    assert wrong_with(changes.path, tmp_path) == []
    rows = rows_of(changes.path)
    assert {row["sourcedId"]: row["status"] for row in rows["users"]} == {
        cast.AMARA: "active",
        cast.NOAH: "tobedeleted",
    }
    assert [(row["sourcedId"], row["status"]) for row in rows["enrollments"]] == [("enr-new", "active")]
    [gone] = [row for row in rows["users"] if row["status"] == "tobedeleted"]
    assert "Noah" not in gone.values(), "a tombstone tells nothing of a person"
    modes = modes_of(changes.path)
    assert modes["users"] == modes["enrollments"] == modes["demographics"] == "delta"
    assert modes["roles"] == modes["orgs"] == "bulk", "roles have no dates of their own, and refer to orgs"
    assert take_in(take_in({}, first.path), changes.path) == take_in({}, whole.path)


def _role_of(person: str) -> str:
    return next(row["sourcedId"] for row in riverbend.rows("1.2")["roles"] if row["userSourcedId"] == person)


def test_a_file_that_ran_empty_cannot_be_told_as_a_change(district, tmp_path):
    grant = a_grant(district)
    before = district.publication
    deliver(district, cast.riverbend(tmp_path / "second", {"users": {cast.AMARA: {"givenName": "Amarachi"}}}))
    assert package_of(grant, tmp_path, since=before, had={"users.csv", "roles.csv"}) is not None
    all_of_them = {row["sourcedId"]: None for row in riverbend.rows("1.2")["userProfiles"]}
    before = District.objects.get(pk=district.pk).publication
    deliver(district, cast.riverbend_delta(tmp_path / "third", {"userProfiles": all_of_them}))
    assert package_of(grant, tmp_path, since=before, had={"users.csv", "userProfiles.csv"}) is None


@pytest.mark.parametrize("number", range(DISTRICTS))
def test_packages_of_random_districts_have_what_the_reference_lets_through(number, tmp_path):
    random = Random(f"packages {number}")
    roster = random_roster(random)
    district = District.objects.create(id=FIRST_NUMBER + number, name=f"Random {number}")
    store(district, roster)
    publish(district.pk, None, "a random district")
    grant, held = (
        Grant(district=district, app=add_app(f"App {number}")),
        {version: {} for version in ("1.1", "1.2")},
    )
    since = None
    for _ in range(3):
        rule = random_rule(random)
        set_rule(grant, rule, "a random rule")
        for version in ("1.1", "1.2"):
            whole = package_of(grant, tmp_path, version)
            assert whole is not None
            _compare(rows_of(whole.path), roster, seen(roster, rule), version)
            had = {f"{name}.csv" for name in held[version]}
            changes = package_of(grant, tmp_path, version, since, had) if since and rule.deleted else None
            held[version] = take_in(held[version], changes.path) if changes else take_in({}, whole.path)
            assert held[version] == take_in({}, whole.path), (version, rule)
        since = District.objects.get(pk=district.pk).publication


def _compare(rows: dict[str, list[dict[str, str]]], roster: Roster, it: Seen, version: str) -> None:
    for collection in SETS:
        told = {row["sourcedId"]: row for row in rows.get(collection, [])}
        assert set(told) == _ids(collection, it.of(collection))
        for number in it.of(collection):
            row = told[served_id(collection, number)]
            for member, expected in references(roster, it, collection, number).items():
                numbers = {one for one in expected if one is not None}
                if COLUMNS.get(member, "") in row:
                    assert set(filter(None, row[COLUMNS[member]].split(","))) == _named(
                        collection, member, numbers
                    )
                if member == "resources" and collection in LINKS:
                    file, owner = LINKS[collection]
                    found = {
                        one["resourceSourcedId"]
                        for one in rows.get(file, [])
                        if one[owner] == row["sourcedId"]
                    }
                    assert found == _ids("resources", numbers)
    if version == "1.2":
        orgs = {(row["userSourcedId"], row["orgSourcedId"]) for row in rows.get("roles", [])}
        for number in it.users:
            user = served_id("users", number)
            assert {org for one, org in orgs if one == user} == _ids(
                "orgs", references(roster, it, "users", number)["orgs"]
            )
    assert set(rows) <= {table.name for table in BINDINGS[version].tables}


def _named(collection: str, member: str, numbers: set[int]) -> set[str]:
    targets = {"parent": collection, "schoolYear": "academicSessions", "course": "courses", "school": "orgs", "terms": "academicSessions",
               "agents": "users", "user": "users", "class": "classes"}  # fmt: skip
    return _ids(targets[member], numbers)


def _ids(collection: str, numbers: set[int]) -> set[str]:
    return {served_id(collection, number) for number in numbers}


def test_a_rule_without_tombstones_tells_no_changes_but_reads_as_much(district, tmp_path):
    with_them = package_of(a_grant(district, app="One"), tmp_path)
    without = package_of(
        a_grant(district, Rule(FULL.level, FULL.scopes, deleted=False), app="Other"), tmp_path
    )
    assert with_them is not None
    assert without is not None
    assert with_them.sha256 == without.sha256


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_what_is_masked_omitted_or_known_by_another_id_is_so_in_a_package(district, tmp_path, version):
    treated = {
        ("users", "sourcedId"): Treatment.PSEUDONYMISE,
        ("users", "familyName"): Treatment.MASK,
        ("users", "email"): Treatment.OMIT,
        ("demographics", "birthDate"): Treatment.MASK,
    }
    fields = tuple(sorted((collection, name, how) for (collection, name), how in treated.items()))
    grant = a_grant(district, full(fields=fields))
    package = package_of(grant, tmp_path, version)
    assert package is not None
    assert wrong_with(package.path, tmp_path) == []
    rows = rows_of(package.path)
    served = {one["sourcedId"]: one for one in everything(reader_of(grant), "/users", version=version)}
    assert cast.AMARA not in served
    assert {row["sourcedId"]: row["familyName"] for row in rows["users"]} == {
        key: one["familyName"] for key, one in served.items()
    }
    assert not any(row["email"] for row in rows["users"])
    assert {row["userSourcedId"] for row in rows["enrollments"]} <= set(served)
    assert {row["sourcedId"] for row in rows["demographics"]} <= set(served)
    with zipfile.ZipFile(package.path) as archive:
        told = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert "Okonkwo" not in told
    assert cast.AMARA not in told
