"""Mapping by a person: schools to sites, roles, and classes to groups that are there. Each act is kept, and the next plan follows it."""

import shutil
from pathlib import Path

import pytest

from rollbook.engine.sync.planning import make_plan
from rollbook.engine.sync.policy import BadPolicy
from rollbook.engine.sync.read import make_read
from rollbook.flows import directory, groups
from rollbook.flows.sync import connections, mapping
from rollbook.flows.sync.connections import policy_of
from rollbook.flows.sync.worlds import world_of
from rollbook.store.models import Group, Organization, SyncConnection
from rollbook.store.sync_shelf import read_folder
from tests.engine.sync.schools import school
from tests.flows.sync.organizations import an_organization, connected, deliver

pytestmark = pytest.mark.django_db
ME = "ines@northwind.example"


@pytest.fixture
def organization() -> Organization:
    return an_organization()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `roster` of a source, and beside it `read`, as a run would have read it."""
    place = tmp_path_factory.mktemp("source")
    deliver(place / "roster", school())
    make_read(place / "roster", place / "work", None, place / "read")
    return place


@pytest.fixture
def connection(organization: Organization, source: Path) -> SyncConnection:
    """The source was read; the organization has a site of one school's name, and one like the other's."""
    directory.add_site(organization, "north SCHOOL")
    directory.add_site(organization, "South Sch.")
    directory.add_site(organization, "Harbour Annex")
    made = connected(organization, source / "roster")
    shutil.copytree(source / "read", read_folder(made, 1))
    return made


def planned(connection: SyncConnection, kind: str) -> dict[str, int]:
    """What a preview would count."""
    with world_of(connection, read_folder(connection, 1)) as world:
        return make_plan(world, policy_of(connection), lambda _: None).counts[kind]


def site(organization: Organization, name: str) -> str:
    return str(directory.find_site(organization, name).id)


def waiting(connection: SyncConnection) -> list[str]:
    return [one.school.source_id for one in mapping.board(connection).waiting]


def test_same_names_are_mapped_already_and_like_names_only_suggested(connection: SyncConnection) -> None:
    board = mapping.board(connection)
    [north] = board.mapped
    assert (north.school.name, north.school.found_by, north.is_automatic) == ("North School", "name", True)
    [south] = board.waiting
    [like] = south.suggestions
    assert (south.school.site_name, like.name, like.why) == ("", "South Sch.", "shortened")
    assert {one.name: list(one.schools) for one in board.sites} == {
        "north SCHOOL": ["North School"],
        "South Sch.": [],
        "Harbour Annex": [],
    }


def test_what_a_person_maps_is_kept_with_who_and_counts_in_the_next_preview(
    organization: Organization, connection: SyncConnection
) -> None:
    assert planned(connection, "sites") == {"link": 1, "create": 1}
    mapping.map_to(connection, ["south"], site(organization, "South Sch."), ME)
    [_, south] = mapping.board(connection).mapped
    assert (south.by, south.is_automatic, waiting(connection)) == (ME, False, [])
    assert south.at is not None
    assert planned(connection, "sites") == {"link": 2}


def test_several_schools_are_one_site(organization: Organization, connection: SyncConnection) -> None:
    annex = site(organization, "Harbour Annex")
    assert mapping.map_to(connection, ["north", "south"], annex, ME) == 2
    [found] = [one for one in mapping.board(connection).sites if one.id == annex]
    assert sorted(found.schools) == ["North School", "South School"]


def test_a_mapped_item_is_taken_off_whether_a_person_or_its_name_put_it_there(
    organization: Organization, connection: SyncConnection
) -> None:
    mapping.map_to(connection, ["south"], site(organization, "South Sch."), ME)
    mapping.unmap(connection, "south", ME)
    assert waiting(connection) == ["south"]
    mapping.unmap(connection, "north", ME)
    [north] = mapping.board(connection).aside
    assert (north.school.source_id, north.school.decision) == ("north", "create")
    mapping.unmap(connection, "north", ME)
    assert [one.school.source_id for one in mapping.board(connection).mapped] == ["north"]
    with pytest.raises(mapping.NotMapped):
        mapping.unmap(connection, "south", ME)


def test_a_school_is_split_by_the_grades_its_pupils_have(
    organization: Organization, connection: SyncConnection
) -> None:
    assert mapping.grades_of(connection, "south") == ["06"]
    small, annex = site(organization, "South Sch."), site(organization, "Harbour Annex")
    mapping.split(connection, "south", small, {"06": annex}, ME)
    found = mapping.school_of(connection, "south").school
    assert (found.site, dict(found.by_grade)) == (small, {"06": annex})


def test_nothing_chosen_is_refused(connection: SyncConnection) -> None:
    with pytest.raises(mapping.NothingChosen):
        mapping.map_to(connection, [], "1", ME)
    with pytest.raises(mapping.NothingChosen):
        mapping.map_to(connection, ["south"], "", ME)
    assert waiting(connection) == ["south"]


def test_roles_are_mapped_under_the_ceiling_and_guardians_never(connection: SyncConnection) -> None:
    counted = {one.role: (one.people, one.local) for one in mapping.roles(connection)}
    assert counted["student"] == (3, "student")
    assert counted["principal"] == (0, "teacher")
    assert mapping.under_ceiling(connection) == ("teacher", "aide", "proctor", "student")
    mapping.keep_roles(connection, {"teacher": "aide", "student": None}, "aide", "", "")
    assert dict(policy_of(connection).roles.map) == {"teacher": "aide"}
    with pytest.raises(BadPolicy):
        mapping.keep_roles(connection, {"guardian": "student"}, "aide", "", "")


def test_a_class_takes_over_a_group_that_people_made(
    organization: Organization, connection: SyncConnection
) -> None:
    place = directory.find_site(organization, "north SCHOOL")
    made = groups.add_group(organization, "mathematics 5", site=place)
    first, second = mapping.classes(connection, 10)
    [like] = first.suggestions
    assert (first.read.title, like.why, like.target) == ("Mathematics 5", "title", str(made.id))
    assert list(second.suggestions) == []
    mapping.decide_class(connection, "c1", "link", ME, str(made.id))
    mapping.decide_classes(connection, ["c2"], "ignore", ME)
    taken, left = mapping.classes(connection, 10)
    assert (taken.title, taken.by, left.decision) == ("mathematics 5", ME, "ignore")
    assert planned(connection, "groups") == {"link": 1}
    assert Group.objects.filter(organization=organization).count() == 1


def test_classes_are_listed_page_by_page_and_found_by_title_and_school(connection: SyncConnection) -> None:
    [first] = mapping.classes(connection, 1)
    [second] = mapping.classes(connection, 1, after=first.read.place)
    assert [first.read.source_id, second.read.source_id] == ["c1", "c2"]
    assert mapping.classes(connection, 1, after=second.read.place) == []
    assert [one.read.source_id for one in mapping.classes(connection, 9, search="MATH 6")] == ["c2"]
    assert mapping.count_classes(connection, school="north") == 1


def test_a_preset_leaves_out_roles_that_the_organization_does_not_have(tmp_path: Path) -> None:
    small = an_organization(roles=["head", "teacher", "student"])
    deliver(tmp_path / "roster", school())
    made = connections.connect(small, "Roster", "folder", {"path": str(tmp_path / "roster")})
    connections.begin_from(made, "classes-and-licences")
    roles = policy_of(made).roles
    assert (made.preset, roles.ceiling, roles.map["principal"]) == (
        "classes-and-licences",
        "teacher",
        "teacher",
    )
    assert "aide" not in roles.map


def test_who_needs_nobody_for_it_is_active_once_the_source_answers(tmp_path: Path) -> None:
    deliver(tmp_path / "roster", school())
    states = []
    for entitlements in (["rostering"], ["rostering", connections.SELF_ACTIVATION]):
        here = an_organization(entitlements=entitlements)
        made = connections.connect(here, "Roster", "folder", {"path": str(tmp_path / "roster")})
        connections.test(made)
        states.append(str(made.state))
    assert states == ["waiting", "active"]


def test_what_was_only_begun_can_be_dropped_and_nothing_else(
    organization: Organization, connection: SyncConnection, tmp_path: Path
) -> None:
    begun = connections.connect(organization, "Another", "folder", {"path": str(tmp_path)})
    connections.drop(begun)
    assert [one.pk for one in connections.connections(organization)] == [connection.pk]
    with pytest.raises(connections.NotToBeDropped):
        connections.drop(connection)
