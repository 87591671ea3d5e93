"""A district is read over REST from another Rollbook, whose real server answers: what comes out again is what went in there."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rollbook.connectors.contract import BadSetting, CannotFetch
from rollbook.connectors.oneroster_rest.pull import ONEROSTER_REST
from rollbook.flows import connections as ways
from rollbook.flows import holds as import_holds
from rollbook.flows.completeness import certificate_of
from rollbook.flows.districts import add_district
from rollbook.flows.fetch import fetched
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.sync import connections, holds, runs
from rollbook.flows.sync.walk import walked
from rollbook.oneroster.collections import SERVED
from rollbook.store.models import (
    RECORDS,
    ClassResource,
    Connection,
    CourseResource,
    District,
    Group,
    Member,
    Membership,
    Run,
    SyncConnection,
    UserResource,
)
from rollbook.store.models.roster import ACTIVE
from tests.cast import riverbend_zip
from tests.command import rollbook
from tests.delivered import a_grant, everything, reader_of
from tests.flows.sync.organizations import an_organization
from tests.installation import Installation, fresh_installation

BASES = {"1.1": "/ims/oneroster/v1p1", "1.2": "/ims/oneroster/rostering/v1p2"}
SIGN_INS = {
    "1.1 by OAuth 1, SHA256": ("1.1", {"sign_in": "oauth1", "signature": "HMAC-SHA256"}),
    "1.1 by OAuth 1, SHA1": ("1.1", {"sign_in": "oauth1", "signature": "HMAC-SHA1"}),
    "1.1 by OAuth 2": ("1.1", {"sign_in": "oauth2", "credentials": "basic"}),
    "1.2 by OAuth 2": ("1.2", {"sign_in": "oauth2", "credentials": "post"}),
}

pytestmark = pytest.mark.django_db


class Other:
    """The other Rollbook: Riverbend, served to one app that may read all of it."""

    def __init__(self, installation: Installation, package: Path) -> None:
        told = installation.rollbook
        told("district", "add", "Riverbend", "--time-zone", "America/Chicago")
        told("import", "Riverbend", str(package), "--yes")
        told("app", "add", "Reader")
        grant = json.loads(told("grant", "Riverbend", "Reader", "--permission", "full", "--json").stdout)
        key = json.loads(told("key", "add", str(grant["grant"]), "--oauth1", "--json").stdout)
        self.address, self.python = installation.url, installation.python
        self.client_id, self.secret = key["clientId"], key["clientSecret"]

    def settings(self, version: str, **more: str) -> dict[str, Any]:
        return {
            "url": self.address + BASES[version],
            "client_id": self.client_id,
            "token_url": f"{self.address}/oauth2/token",
            "demographics": "yes",
            "page_size": "50",
            **more,
        }


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return riverbend_zip(tmp_path_factory.mktemp("package") / "riverbend.zip")


@pytest.fixture(scope="module")
def other(package: Path) -> Iterator[Other]:
    with fresh_installation() as installation:
        made = Other(installation, package)
        with installation.serving():
            yield made


def pulled(other: Other, folder: Path, settings: dict[str, Any]) -> tuple[District, Run]:
    """A new district with what the other gives, and the run that brought it."""
    district = add_district("Riverbend, pulled", "America/Chicago")
    connection = Connection.objects.create(
        district=district,
        kind="oneroster_rest",
        name="The other",
        settings=settings,
        secrets=json.dumps({"client_secret": other.secret}),
    )
    folder.mkdir(exist_ok=True)
    came = fetched(connection, folder, datetime.now(UTC), lambda words: None)
    return district, carry_out(prepare(connection, came.path, "a test", came.certificate))


def served(district: District, version: str) -> dict[str, dict[str, Any]]:
    """All a full grant reads, by collection and id; without its date, lists that have no order in order."""
    reader = reader_of(a_grant(district, app=f"Reader of {district.pk} {version}"))
    return {
        collection: {
            record["sourcedId"]: _settled(record)
            for record in everything(reader, f"/{collection}", version=version)
        }
        for collection in SERVED
    }


def links(district: District) -> dict[type[Any], int]:
    """How many classes, courses and people were given a resource."""
    return {
        model: model.objects.filter(district=district, status=ACTIVE).count()
        for model in (ClassResource, CourseResource, UserResource)
    }


def _settled(record: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in record.items() if name != "dateLastModified"}
    for name in ("roles", "userProfiles", "resources"):
        if name in kept:
            kept[name] = sorted(kept[name], key=json.dumps)
    return kept


@pytest.mark.parametrize("version, more", SIGN_INS.values(), ids=SIGN_INS)
def test_a_district_pulled_from_another_rollbook_equals_the_original(
    version: str, more: dict[str, str], other: Other, riverbend: District, tmp_path: Path
):
    original = riverbend
    district, run = pulled(other, tmp_path, other.settings(version, **more))
    assert (run.outcome, run.message) == ("success", "")
    certificate = certificate_of(run)
    assert certificate is not None
    assert certificate["complete"]
    assert run.findings.get("error", 0) == 0
    assert served(district, version) == served(original, version)
    assert links(district) == links(original) | ({UserResource: 0} if version == "1.1" else {})


def test_a_second_night_without_change_changes_nothing(other: Other, db: None, tmp_path: Path):
    district, _ = pulled(other, tmp_path / "first", other.settings("1.2"))
    connection = Connection.objects.get(district=district, kind="oneroster_rest")
    (tmp_path / "second").mkdir()
    came = fetched(connection, tmp_path / "second", datetime.now(UTC), lambda words: None)
    prepared = prepare(connection, came.path, "a test", came.certificate)
    assert prepared.changes == 0
    assert carry_out(prepared).outcome == "success"


def test_an_operator_connects_tests_and_runs_it_from_the_command_line(other: Other, transactional_db: None):
    told = rollbook
    told("district", "add", "Mirror")
    given = [f"--set={name}={value}" for name, value in other.settings("1.2").items()]
    added = told(
        "connection", "add", "Mirror", "The other", "--kind", "oneroster_rest", *given,
        "--secret", "client_secret=-", "--json", stdin=f"{other.secret}\n",
    )  # fmt: skip
    number = str(json.loads(added.stdout)["connection"])
    assert "users: " in told("connection", "test", number).stdout
    ran = told("connection", "run", number)
    assert "enrollments: 165 of 165" in ran.stderr
    assert ": success." in ran.stdout
    assert "Nothing changed." in told("connection", "run", number).stdout
    told("connection", "edit", number, "--secret", "client_secret=-", stdin="wrong\n")
    refused = told("connection", "run", number, expect=1).stdout
    assert "failed" in refused
    assert "invalid_client" in refused


@pytest.mark.parametrize("version", BASES)
def test_a_district_that_uploaded_its_files_reads_them_from_now_on(
    version: str, other: Other, package: Path, db: None, tmp_path: Path
):
    """What both ways give stays the record it was. Roles have no ids over REST, and so are new ones: a person is asked."""
    district = add_district("Riverbend, another way", "America/Chicago")
    connection = Connection.objects.get(district=district)
    assert carry_out(prepare(connection, package, "a test")).outcome == "success"
    before = numbers(district)
    filled = {**other.settings(version), "client_secret": other.secret}
    changed = ways.change_way(connection, "oneroster_rest", filled)
    (tmp_path / "first").mkdir()
    came = fetched(changed, tmp_path / "first", datetime.now(UTC), lambda words: None)
    run = carry_out(prepare(changed, came.path, "a test", came.certificate))
    assert {hazard["collection"] for hazard in run.plan.hazards} == {"users", "roles"}
    assert import_holds.apply_once(run.hold, "a test", "They come another way now.").outcome == "success"
    assert numbers(district).items() <= before.items()
    assert served(district, version) == served(pulled(other, tmp_path / "anew", changed.settings)[0], version)
    (tmp_path / "second").mkdir()
    came = fetched(changed, tmp_path / "second", datetime.now(UTC), lambda words: None)
    assert prepare(changed, came.path, "a test", came.certificate).changes == 0


def numbers(district: District) -> dict[tuple[str, str], int]:
    """The record ids of all that lives and that apps know by an id, by collection and id."""
    return {
        (collection, one): number
        for collection, model in RECORDS.items()
        if collection in SERVED
        for one, number in model._default_manager.filter(district=district, status=ACTIVE).values_list(
            "sourced_id", "id"
        )
    }


def test_the_version_is_found_where_the_address_leaves_it_open(other: Other, db: None, tmp_path: Path):
    settings = other.settings("1.2", url=other.address)
    assert certificate_of(pulled(other, tmp_path, settings)[1])["version"] == "1.2"
    signed = tmp_path / "signed"
    settings = other.settings("1.1", url=other.address, sign_in="oauth1")
    assert certificate_of(pulled(other, signed, settings)[1])["version"] == "1.1"


def test_testing_a_connection_says_what_it_lets_us_see(other: Other):
    lines = ONEROSTER_REST.tested(other.settings("1.2"), {"client_secret": other.secret})
    assert lines[0].startswith("OneRoster 1.2 answers at http://127.0.0.1:")
    assert "classes: 19 records." in lines
    assert "resources: 2 records." in lines
    assert len(lines) == 1 + len(SERVED)


def test_testing_finds_the_token_address_without_sending_a_secret(other: Other):
    with pytest.raises(CannotFetch) as refused:
        ONEROSTER_REST.tested(other.settings("1.2", token_url=""), {"client_secret": other.secret})
    assert f"{other.address}/oauth2/token" in refused.value.words


def test_testing_says_that_a_secret_is_wrong(other: Other):
    with pytest.raises(CannotFetch) as refused:
        ONEROSTER_REST.tested(other.settings("1.2"), {"client_secret": "wrong"})
    assert "invalid_client" in refused.value.words
    with pytest.raises(CannotFetch) as refused:
        ONEROSTER_REST.tested(other.settings("1.1", sign_in="oauth1"), {"client_secret": "wrong"})
    assert "401" in refused.value.words


def test_oauth_1_with_an_address_of_1_2_is_refused(other: Other):
    with pytest.raises((BadSetting, CannotFetch)) as refused:
        ONEROSTER_REST.tested(other.settings("1.2", sign_in="oauth1"), {"client_secret": other.secret})
    assert "1.1" in refused.value.words


# --- A directory kept in step, by the list that a hub shows its partners -------------------------------------------------------------

PARTNER = """
import json, os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "rollbook.settings"
django.setup()
from rollbook.flows import apps, catalogue, partners
from rollbook.store.models import District

partner = partners.add_partner("Quorndle")
developer = partners.employ(partner, "ines@quorndle.example")
district = District.objects.get()
grant = apps.grant_app(district, catalogue.enter({"name": "Quorndle"}, developer), "full", [])
apps.enable(grant)
print(json.dumps({"tenant": str(district.pk), "key": partners.make_key(partner, "Nightly", "ines@quorndle.example")[1]}))
"""


def synced(name: str, kind: str, filled: dict[str, str]) -> SyncConnection:
    """A new organization's connection, after its first sync."""
    changes = {"classes": {"terms": "all"}}
    made = connections.connect(
        an_organization(), name, kind, filled, settings="classes-and-licences", changes=changes
    )
    connections.test(made)
    connections.activate(made)
    done = walked(holds.approve(walked(runs.enqueue(made, "a test")), "a test"))
    assert (done.outcome, done.certificate["complete"]) in (("success", True), ("success", None)), (
        done.message
    )
    made.refresh_from_db()
    return made


def directory(connection: SyncConnection) -> tuple[list[Any], list[Any]]:
    """Its members and who is in which class, by what they are at the source."""
    own = {"organization": connection.organization_id}
    people = {one.id: one.source_id for one in Member.objects.filter(**own)}
    classes = {one.id: one.source_id for one in Group.objects.filter(**own)}
    about = Member.objects.filter(**own).values_list("source_id", "given_name", "email", "roles", "state")
    inside = Membership.objects.filter(**own).values_list("group_id", "member_id", "role")
    return sorted(about), sorted((classes[group], people[who], role) for group, who, role in inside)


@pytest.mark.django_db(transaction=True)
def test_a_directory_is_kept_in_step_with_a_district_that_another_rollbook_lists_to_its_partner(
    other: Other, package: Path
) -> None:
    told = other.python("-c", PARTNER)
    listed = {"listing": f"{other.address}/applications", **json.loads(told)}
    from_the_list = synced("The list", "partner_listing", listed)
    people, inside = directory(from_the_list)
    assert len(people) > 50
    assert len(inside) > 100
    assert (people, inside) == directory(synced("The files", "folder", {"path": str(package)}))
    assert walked(runs.enqueue(from_the_list, "a test")).outcome == "empty"
    with pytest.raises(CannotFetch) as refused:
        connections.test(connections.edit(from_the_list, {"tenant": "999999"}, {}))
    assert "has not added the app" in refused.value.words
