"""What people do with members by hand, between syncs: it stays over two of them, until the roster has the last word again."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rollbook.engine.sync.operations import CREATE, MEMBERSHIPS, Operation
from rollbook.flows import members
from rollbook.flows.directory import edit_organization
from rollbook.flows.sync import holds, own, runs
from rollbook.store.directory import DirectoryTarget
from rollbook.store.models import Group, Member, Membership, SyncConnection, SyncRun
from tests.engine.sync.schools import Row, changed, school, without
from tests.flows.sync.organizations import an_organization, connected, deliver

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
Tables = dict[str, list[Row]]


class Nights:
    """An organization whose first sync is behind it; each night the folder has another roster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        deliver(folder, school())
        limits = {
            kind: {"percent": 0, "site_percent": 0, "group_percent": 0, "weekly_percent": 0}
            for kind in ("members", "memberships")
        }
        self.connection: SyncConnection = connected(
            an_organization(), folder, grace={"reads": 1, "students": 0, "staff": 0}, limits=limits
        )
        with own.own_process() as process:
            own.walk_here(holds.approve(self._walk(), "somebody", "First.", process=process), lambda _: None)
        self.connection.refresh_from_db()

    def night(self, tables: object) -> SyncRun:
        deliver(self.folder, tables)  # type: ignore[arg-type]  # the tables of a package
        run = self._walk()
        assert run.outcome in ("success", "empty"), (run.outcome, run.message)
        return run

    def _walk(self) -> SyncRun:
        with own.own_process() as process:
            return own.walk_here(runs.enqueue(self.connection, "somebody", process=process), lambda _: None)

    def member(self, source_id: str) -> Member:
        return Member.objects.get(organization=self.connection.organization_id, source_id=source_id)


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path / "roster")


def test_what_a_person_did_stays_over_two_syncs_until_the_roster_has_the_last_word_again(nights: Nights):
    """Six nights of four people: `p1` is brought back, `p2` archived, `p3` changed, and somebody is put into a class, all by hand."""
    gone = without(school(), "p1")
    row = put_into_class(nights, "t1", "c2")
    members.archive(nights.member("p2"))
    members.add_role(nights.member("p3"), "aide", "Helps in the library.")
    members.set_field(nights.member("p3"), "username", "by-hand")
    members.suspend(nights.member("p3"), NOW, "Asked for by the office.")
    nights.night(gone)
    assert nights.member("p1").state == "archived"
    members.restore(nights.member("p1"), "Comes back in spring.")
    for name in ("Moss", "Reed"):
        nights.night(changed(gone, "users", "p3", familyName=name, username=f"p3-{name}"))
        assert [nights.member(one).state for one in ("p1", "p2", "p3")] == [
            "inactive",
            "archived",
            "suspended",
        ]
        found = nights.member("p3")
        assert (found.family_name, found.username) == (name, "by-hand")
        assert members.roles_held(found) == ("aide", "student")
    assert Membership.objects.filter(member_id=nights.member("p1").id, state="active").count() == 1
    members.follow(nights.member("p2"), "state")
    members.follow(nights.member("p3"), "username")
    nights.night(changed(school(), "users", "p3", username="p3-new"))
    assert nights.member("p2").state == "inactive"
    assert nights.member("p3").username == "p3-new"
    assert not members.overrides_of(nights.member("p1")).exists()
    nights.night(gone)
    assert nights.member("p1").state == "archived"
    row.refresh_from_db()
    assert (row.state, row.version, row.connection_id) == ("active", 1, 0)


def put_into_class(nights: Nights, source_id: str, taught: str) -> Membership:
    """A membership by hand."""
    group = Group.objects.get(organization=nights.connection.organization_id, source_id=taught)
    pair = {"group": str(group.id), "member": str(nights.member(source_id).id), "role": "student"}
    by_hand = DirectoryTarget(nights.connection.organization, 0)
    (made,) = by_hand.apply([Operation(1, CREATE, MEMBERSHIPS, "", "", after=pair)])
    return Membership.objects.get(organization=nights.connection.organization_id, id=int(made.target))


def test_a_seat_goes_with_who_leaves_and_comes_back_with_them_as_long_as_there_is_one(nights: Nights):
    organization = nights.connection.organization
    edit_organization(organization, seats=1)
    members.activate(nights.member("p1"), NOW)
    nights.night(without(school(), "p1"))
    organization.refresh_from_db()
    assert (nights.member("p1").state, organization.seats_taken) == ("archived", 0)
    nights.night(school())
    organization.refresh_from_db()
    assert (nights.member("p1").state, organization.seats_taken) == ("active", 1)
