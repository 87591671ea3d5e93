"""Members, classes, sites and administrators in the console: what is seen by whom, what is done by hand, and what is refused."""

import csv
import io
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from rollbook.engine.sync.operations import CREATE, GROUPS, Operation
from rollbook.flows import administrators, directory, groups, members, merging
from rollbook.store.directory import DirectoryTarget
from rollbook.store.models import (
    AuditEntry,
    Group,
    Link,
    Member,
    Organization,
    Override,
    Site,
    SyncConnection,
    SyncRun,
)
from tests.console.conftest import PASSWORD

ROLES = ("administrator", "teacher", "student")


class Northwind:
    """Two sites with a class each; Helen administers, Tom teaches in the north, Ana and Ben learn in the north and in the south."""

    def __init__(self) -> None:
        product = directory.add_product("Reader", ROLES)
        self.organization = directory.add_organization(product, "Northwind Schools", seats=2)
        self.north, self.south = (
            directory.add_site(self.organization, f"{one} School") for one in ("North", "South")
        )
        self.helen = self.member("Helen", "Brandt", "administrator", self.north)
        self.tom = self.member("Tom", "Reed", "teacher", self.north)
        self.ana = self.member("Ana", "Silva", "student", self.north)
        self.ben = self.member("Ben", "Ortiz", "student", self.south)
        self.algebra = groups.add_group(self.organization, "Algebra", self.north)
        self.biology = groups.add_group(self.organization, "Biology", self.south)
        for group, person, role in (
            (self.algebra, self.tom, "teacher"),
            (self.algebra, self.ana, "student"),
            (self.algebra, self.ben, "student"),
            (self.biology, self.ben, "student"),
        ):
            groups.put_in(group, person, role)

    def member(self, given: str, family: str, role: str, site: Site) -> Member:
        fields = {"given_name": given, "family_name": family, "email": f"{given.lower()}@northwind.example"}
        return members.add_member(self.organization, fields, [role], [site])

    def rostered(self, folder: Path) -> SyncConnection:
        """An active roster that has Ana, with another grade and username than were set here."""
        connection = SyncConnection.objects.create(
            organization=self.organization, name="District", source_kind="folder", state="active", source_settings={"path": str(folder)}
        )  # fmt: skip
        Link.objects.create(
            organization=self.organization, connection=connection, kind="members", source_id="u-ana", target=str(self.ana.id),
            base=f'{{"given_name": "Ana", "username": "ana.silva", "roles": ["student"], "sites": ["{self.north.id}"]}}',
            rung="email", linked_at=self.organization.created_at,
        )  # fmt: skip
        return connection

    def path(self, name: str, *arguments: object) -> str:
        return reverse(name, args=[self.organization.pk, *arguments])


@pytest.fixture
def northwind(db: None) -> Northwind:
    return Northwind()


@pytest.fixture
def office(northwind: Northwind, signed_in) -> Client:
    """A client signed in as the organization's administrator."""
    organization = northwind.organization
    made = administrators.employ(
        organization.product, organization, "ines@northwind.example", password=PASSWORD
    )
    return signed_in(made.account)


@pytest.fixture
def north_office(northwind: Northwind, office: Client, signed_in) -> Client:
    """A client signed in as administrator of the north site alone."""
    organization = northwind.organization
    made = administrators.employ(
        organization.product, organization, "nora@northwind.example", administrators.SITE, sites=[northwind.north.id]
    )  # fmt: skip
    return signed_in(made.account)


def text(answer) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode()


# --- Lists --------------------------------------------------------------------------------------------------------------------------


def test_members_are_listed_narrowed_and_searched(northwind: Northwind, office: Client):
    page = text(office.get(northwind.path("members")))
    places = [page.index(name) for name in ("Helen Brandt", "Ben Ortiz", "Tom Reed", "Ana Silva")]
    assert places == sorted(places)
    assert "Seats used: 0 of 2." in page
    members.archive(northwind.ben)
    for query, there in (
        ("?role=student", {"Ana Silva"}),
        (f"?site={northwind.south.id}", set()),
        (f"?state=archived&site={northwind.south.id}", {"Ben Ortiz"}),
        ("?q=TOM%20reed", {"Tom Reed"}),
        ("?source=hand&role=administrator", {"Helen Brandt"}),
        ("?source=7", set()),
    ):
        found = text(office.get(northwind.path("members") + query, headers={"HX-Request": "true"}))
        assert {
            one for one in ("Helen Brandt", "Ben Ortiz", "Tom Reed", "Ana Silva") if one in found
        } == there, query
        assert "<html" not in found
    asked = text(office.get(northwind.path("members") + "?q=tom&role=teacher&source=hand&sort=-name"))
    for said in (
        'value="tom"',
        'value="teacher" selected',
        'value="hand" selected',
        'aria-sort="descending"',
    ):
        assert said in asked
    kept = "?q=tom&amp;role=teacher&amp;source=hand"
    assert f'href="{kept}"' in asked  # the other order
    assert f'href="{northwind.path("members-csv")}{kept}&amp;sort=-name"' in asked


def test_a_list_is_taken_as_a_file_and_that_is_noted(northwind: Northwind, office: Client):
    members.set_field(northwind.ana, "family_name", "=Silva")
    rows = list(
        csv.DictReader(io.StringIO(text(office.get(northwind.path("members-csv") + "?role=student"))))
    )
    assert [(row["familyName"], row["sites"], row["state"]) for row in rows] == [
        ("'=Silva", "North School", "inactive"),
        ("Ortiz", "South School", "inactive"),
    ]
    noted = AuditEntry.objects.get(act="member.export")
    assert (noted.actor, "student" in noted.after) == ("ines@northwind.example", True)


def test_classes_and_sites_are_listed_with_who_is_in_them(northwind: Northwind, office: Client):
    page = text(office.get(northwind.path("groups") + "?q=algebra"))
    assert "Algebra" in page
    assert "Biology" not in page
    assert '<td role="cell" data-label="Teachers" class="is-number">1</td>' in page
    assert '<td role="cell" data-label="Pupils" class="is-number">2</td>' in page
    assert "South School" in text(office.get(northwind.path("sites")))
    north = text(office.get(northwind.path("site", northwind.north.id)))
    assert "Administrator" in north.partition("Members by role")[2]


def test_pages_ask_as_often_however_many_are_shown(
    northwind: Northwind, office: Client, django_assert_max_num_queries
):
    with django_assert_max_num_queries(16):
        office.get(northwind.path("members"))
    with django_assert_max_num_queries(13):
        office.get(northwind.path("groups"))


# --- Whom a site administrator sees ---------------------------------------------------------------------------------------------------


def test_a_site_administrator_sees_the_people_and_classes_of_their_sites_alone(
    northwind: Northwind, north_office: Client
):
    listed = text(north_office.get(northwind.path("members") + "?q=a"))
    assert "Ana Silva" in listed
    assert "Ortiz" not in listed
    assert "South School" not in text(north_office.get(northwind.path("members")))
    assert "Ortiz" not in text(north_office.get(northwind.path("members-csv")))
    assert "Biology" not in text(north_office.get(northwind.path("groups")))
    taught = text(north_office.get(northwind.path("group", northwind.algebra.id)))
    assert "Ana Silva" in taught
    assert "Ortiz" not in taught
    assert "1 more person of other sites" in taught
    for name, number in (
        ("member", northwind.ben.id),
        ("member-history", northwind.ben.id),
        ("group", northwind.biology.id),
        ("site", northwind.south.id),
    ):
        assert north_office.get(northwind.path(name, number)).status_code == 404, name
    assert north_office.get(northwind.path("administrators")).status_code == 404


def test_who_may_only_look_sees_no_button_and_is_told_why_not(northwind: Northwind, north_office: Client):
    page = text(north_office.get(northwind.path("member", northwind.ana.id)))
    assert "you can look at it" in page
    assert "/turn/" not in page
    answer = north_office.post(northwind.path("member-turn", northwind.ana.id, "archive"))
    assert answer.status_code == 403
    assert Member.objects.get(email="ana@northwind.example").state == "inactive"


# --- A member -------------------------------------------------------------------------------------------------------------------------


def test_a_member_is_edited_by_hand_and_each_field_says_where_it_comes_from(
    northwind: Northwind, office: Client, tmp_path: Path
):
    northwind.rostered(tmp_path)
    path = northwind.path("member", northwind.ana.id)
    assert "District says: ana.silva" in text(office.get(path))
    told = {
        "given_name": "Ana", "family_name": "Silva", "email": "ana@northwind.example", "username": "ana.s", "grade": "07",
        "roles": ["student", "teacher"], "why": "Helps in the library", "version": northwind.ana.version,
    }  # fmt: skip
    assert office.post(northwind.path("member-edit", northwind.ana.id), told).status_code == 302
    page = text(office.get(path))
    assert "Helps in the library" in page
    assert "Roster, and by hand" in page
    by_hand = {one.field: (one.value, one.mode, one.by) for one in Override.objects.all()}
    assert by_hand == {
        "username": ("ana.s", "set", "ines@northwind.example"),
        "grade": ("07", "set", "ines@northwind.example"),
        "roles": (["teacher"], "add", "ines@northwind.example"),
    }
    assert (
        office.post(northwind.path("member-follow", northwind.ana.id), {"field": "grade"}).status_code == 302
    )
    assert not Override.objects.filter(field="grade", ended_at=None).exists()
    stale = office.post(northwind.path("member-edit", northwind.ana.id), told | {"grade": "08"})
    assert (stale.status_code, "look again" in text(stale)) == (422, True)
    assert "Changed a member by hand" in text(office.get(northwind.path("member-history", northwind.ana.id)))


def test_an_address_that_is_taken_is_refused_beside_the_form(northwind: Northwind, office: Client):
    told = {"email": "ben@northwind.example", "roles": ["student"], "version": northwind.ana.version}
    answer = office.post(northwind.path("member-edit", northwind.ana.id), told)
    assert answer.status_code == 422
    assert "another member has this value" in text(answer)
    assert not Override.objects.exists()


def turned(client: Client, northwind: Northwind, member: Member, turn: str) -> tuple[int, str]:
    answer = client.post(northwind.path("member-turn", member.id, turn), {"why": "As asked"})
    member.refresh_from_db()
    return answer.status_code, member.state


def test_seats_are_taken_until_none_is_left_and_freed_by_suspending_and_archiving(
    northwind: Northwind, office: Client
):
    organization = northwind.organization
    assert turned(office, northwind, northwind.tom, "activate") == (302, "active")
    assert turned(office, northwind, northwind.ana, "activate") == (302, "active")
    refused = office.post(northwind.path("member-turn", northwind.ben.id, "activate"))
    assert (refused.status_code, "All seats" in text(refused)) == (422, True)
    assert turned(office, northwind, northwind.ana, "suspend") == (302, "suspended")
    assert turned(office, northwind, northwind.ben, "activate") == (302, "active")
    assert turned(office, northwind, northwind.ana, "activate") == (422, "suspended")
    assert turned(office, northwind, northwind.ana, "let-in") == (302, "inactive")
    assert turned(office, northwind, northwind.ben, "archive") == (302, "archived")
    organization.refresh_from_db()
    assert organization.seats_taken == 1
    assert turned(office, northwind, northwind.ben, "restore") == (302, "active")
    assert "took a seat" in text(office.get(northwind.path("member-history", northwind.ben.id))).lower()


def test_the_last_administrator_is_neither_archived_nor_suspended(northwind: Northwind, office: Client):
    for turn in ("archive", "suspend"):
        assert turned(office, northwind, northwind.helen, turn) == (422, "inactive")
    assert turned(office, northwind, northwind.tom, "administrator") == (302, "inactive")
    assert members.roles_held(northwind.tom) == ("administrator", "teacher")
    assert turned(office, northwind, northwind.helen, "suspend") == (302, "suspended")
    assert turned(office, northwind, northwind.tom, "archive") == (422, "inactive")


def test_whoever_was_merged_leads_to_the_other_and_back(northwind: Northwind, office: Client):
    merging.merge(northwind.ana, northwind.ben, "One person")
    path = northwind.path("member", northwind.ben.id)
    page = text(office.get(path))
    assert northwind.path("member", northwind.ana.id) in page
    assert "Unarchive" not in page
    assert turned(office, northwind, northwind.ben, "part") == (302, "inactive")
    assert turned(office, northwind, northwind.ben, "part") == (422, "inactive")
    assert "Undo the merge" not in text(office.get(path))


def test_a_members_groups_are_resynced_from_their_roster(
    northwind: Northwind, office: Client, tmp_path: Path
):
    connection = northwind.rostered(tmp_path)
    assert office.post(northwind.path("member-resync", northwind.tom.id)).status_code == 422
    assert office.post(northwind.path("member-resync", northwind.ana.id)).status_code == 302
    run = SyncRun.objects.get(connection=connection)
    assert (run.task["kind"], run.task["focus"]["people"]) == ("focus", ["u-ana"])
    assert run.started_by == "ines@northwind.example"


def test_somebody_is_added_by_hand_and_put_at_another_site(northwind: Northwind, office: Client):
    told = {"given_name": "Mia", "family_name": "Stone", "email": "mia@northwind.example", "role": "student"}
    assert office.post(northwind.path("member-add"), told | {"email": "no address"}).status_code == 422
    assert office.post(northwind.path("member-add"), told).status_code == 302
    mia = Member.objects.get(given_name="Mia")
    assert office.post(northwind.path("member-site", mia.id), {"add": northwind.south.id}).status_code == 302
    mia.refresh_from_db()
    assert members.sites_of(mia) == [northwind.south]
    assert (
        office.post(northwind.path("member-site", mia.id), {"leave": northwind.south.id}).status_code == 302
    )
    mia.refresh_from_db()
    assert members.sites_of(mia) == []


# --- Classes and sites ----------------------------------------------------------------------------------------------------------------


def test_a_group_of_ones_own_is_changed_by_hand_archived_and_restored(northwind: Northwind, office: Client):
    group = northwind.algebra
    assert office.post(northwind.path("group-title", group.id), {"title": "Algebra 1"}).status_code == 302
    unknown = office.post(northwind.path("group-put-in", group.id), {"member": "nobody@x.example"})
    assert unknown.status_code == 422
    told = {"member": "HELEN@northwind.example", "role": "teacher"}
    assert office.post(northwind.path("group-put-in", group.id), told).status_code == 302
    assert (
        office.post(northwind.path("group-take-out", group.id), {"member": northwind.ana.id}).status_code
        == 302
    )
    assert {one.member.given_name for one in groups.people(group)} == {"Helen", "Tom", "Ben"}
    for turn, state in (("archive", "archived"), ("restore", "active")):
        assert office.post(northwind.path("group-turn", group.id, turn)).status_code == 302
        group.refresh_from_db()
        assert (group.title, group.state) == ("Algebra 1", state)


def test_what_is_kept_centrally_is_read_only_and_says_by_which_roster(
    northwind: Northwind, office: Client, tmp_path: Path
):
    connection = northwind.rostered(tmp_path)
    after = {"title": "Physics", "site": str(northwind.north.id), "central": True}
    made = Operation(1, CREATE, GROUPS, "c1", "", after=after, changed=tuple(after))
    DirectoryTarget(northwind.organization, connection.pk).apply([made])
    group = Group.objects.get(title="Physics")
    page = text(office.get(northwind.path("group", group.id)))
    assert "kept centrally by the roster “District”" in page
    assert "Change the title" not in page
    answer = office.post(northwind.path("group-title", group.id), {"title": "Mine"})
    assert (answer.status_code, "read-only by hand" in text(answer)) == (422, True)
    assert office.post(northwind.path("group-turn", group.id, "archive")).status_code == 422
    group.refresh_from_db()
    assert (group.title, group.state) == ("Physics", "active")


def test_a_site_is_added_renamed_and_followed_again(northwind: Northwind, office: Client):
    assert office.post(northwind.path("site-add"), {"name": "East School"}).status_code == 302
    east = Site.objects.get(name="East School")
    path = northwind.path("site-turn", east.id, "rename")
    assert office.post(path, {"name": " "}).status_code == 422
    assert office.post(path, {"name": "Far East School"}).status_code == 302
    assert "Far East School" in text(office.get(northwind.path("site", east.id)))
    assert office.post(northwind.path("site-turn", east.id, "follow"), {"field": "name"}).status_code == 302
    assert not Override.objects.filter(ended_at=None).exists()


# --- Administrators -------------------------------------------------------------------------------------------------------------------


def test_an_administrator_is_invited_given_another_role_and_let_go_and_the_last_one_stays(
    northwind: Northwind, office: Client
):
    told = {"email": "sam@northwind.example", "name": "Sam", "role": administrators.SITE}
    nowhere = office.post(northwind.path("administrator-invite"), told)
    assert (nowhere.status_code, "name at least one" in text(nowhere)) == (422, True)
    sent = told | {"sites": [northwind.south.id]}
    assert office.post(northwind.path("administrator-invite"), sent).status_code == 302
    assert mail.outbox[0].to == ["sam@northwind.example"]
    sam = administrators.administrators_of(northwind.organization).get(account__email="sam@northwind.example")
    assert sam.sites == [northwind.south.id]
    assert "South School" in text(office.get(northwind.path("administrators")))
    ines = administrators.administrators_of(northwind.organization).get(
        account__email="ines@northwind.example"
    )
    for path, data in (
        (
            northwind.path("administrator", ines.pk),
            {"role": administrators.SITE, "sites": [northwind.north.id]},
        ),
        (northwind.path("administrator-let-go", ines.pk), {}),
    ):
        office.post(path, data)
        ines.refresh_from_db()
        assert (ines.role, ines.left_at) == (administrators.ORGANIZATION, None)
    changed = {"role": administrators.ORGANIZATION, "sites": [northwind.south.id]}
    assert office.post(northwind.path("administrator", sam.pk), changed).status_code == 302
    sam.refresh_from_db()
    assert (sam.role, sam.sites) == (administrators.ORGANIZATION, [])
    assert office.post(northwind.path("administrator-let-go", sam.pk)).status_code == 302
    assert [one.pk for one in administrators.administrators_of(northwind.organization)] == [ines.pk]


def test_without_rostering_in_the_plan_nothing_is_changed_but_administrators(
    northwind: Northwind, office: Client
):
    Organization.objects.filter(pk=northwind.organization.pk).update(entitlements=[])
    assert office.post(northwind.path("site-add"), {"name": "East"}).status_code == 403
    page = text(office.get(northwind.path("member-add")))
    assert "does not include rostering" in page
    assert 'name="given_name"' not in page
