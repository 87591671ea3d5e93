"""A read: what it keeps of a source, what it says is gone, and how the planner reads it again."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from rollbook.engine.accepted import scan
from rollbook.engine.sync.read import Read, make_read
from rollbook.engine.sync.read_file import StoredRoster
from rollbook.engine.sync.roster import MARKED, MISSING, Post
from rollbook.engine.sync.world import Focus
from tests.engine.packages import write_package
from tests.engine.sync.schools import Tables, changed, school, without


class Source:
    """A source that is read again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.reads = folder, 0
        self.read: Path | None = None

    def deliver(self, tables: Mapping[str, Iterable[Mapping[str, str]]], mode: str = "bulk") -> Read:
        self.reads += 1
        here = self.folder / str(self.reads)
        package = write_package(here / "package", tables, mode)
        made = make_read(package, here / "work", self.read, here / "read")
        self.read = here / "read"
        return made

    def roster(self, focus: Focus | None = None) -> StoredRoster:
        assert self.read is not None
        return StoredRoster(self.read, focus)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path)


def as_delta(tables: Tables, status: str = "active") -> Tables:
    stamps = {"status": status, "dateLastModified": "2026-09-01T00:00:00.000Z"}
    return {name: [{**row, **stamps} for row in rows] for name, rows in tables.items()}


def test_people_come_with_their_posts_and_classes_with_their_course(source: Source) -> None:
    made = source.deliver(school())
    assert {"users", "classes", "enrollments"} <= made.whole
    with source.roster() as roster:
        teacher = roster.people["t1"]
        assert (teacher.given_name, teacher.email, teacher.enabled) == ("Tess", "t1@school.example", True)
        assert teacher.posts == (Post("teacher", "north", primary=True),)
        assert roster.people["p1"].grades == ("05",)
        assert roster.classes["c1"].course_title == "Mathematics"
        assert roster.classes["c1"].terms == ("year",)
        assert roster.terms["year"].ends == "2027-06-30"


def test_enrollments_come_by_group_in_code_point_order(source: Source) -> None:
    source.deliver(school())
    with source.roster() as roster:
        found = list(roster.enrollments_by({"c1": "é", "c2": "Z"}))
        assert [group for group, _ in found] == ["Z", "é"]
        assert {one.person for one in found[1][1]} == {"t1", "p1", "p2"}
        assert len(list(roster.all_enrollments())) == 5


def test_only_what_is_mapped_is_kept(source: Source) -> None:
    source.deliver(changed(school(), "users", "p1", phone="555-0100", sms="555-0101"))
    assert source.read is not None
    for file in source.read.glob("*.parquet"):
        assert b"555-0100" not in file.read_bytes(), scan(file)


def test_in_1_1_roles_are_as_whole_as_the_users_in_whose_rows_they_stand(tmp_path: Path) -> None:
    user = {"sourcedId": "t", "givenName": "T", "familyName": "A", "enabledUser": "true", "username": "t"}
    user |= {"role": "teacher", "orgSourcedIds": "north"}
    org = {"sourcedId": "north", "name": "North", "type": "school"}
    for mode, whole in (("bulk", {"orgs", "users", "roles"}), ("delta", set[str]())):
        stamps = (
            {"status": "active", "dateLastModified": "2026-09-01T00:00:00.000Z"} if mode == "delta" else {}
        )
        tables = {"orgs": [org | stamps], "users": [user | stamps]}
        package = write_package(tmp_path / mode / "package", tables, mode, "1.1")
        made = make_read(package, tmp_path / mode / "work", None, tmp_path / mode / "read")
        assert made.whole == whole


def test_what_a_whole_read_lacks_is_missing_until_it_is_back(source: Source) -> None:
    source.deliver(school())
    source.deliver(without(school(), "p2"))
    with source.roster() as roster:
        assert roster.gone["users"] == {"p2": MISSING}
        assert "p2" not in roster.people
    source.deliver(without(school(), "p2"))
    with source.roster() as roster:
        assert roster.gone["users"] == {"p2": MISSING}
    source.deliver(school())
    with source.roster() as roster:
        assert "users" not in roster.gone
        assert "p2" in roster.people


def test_a_delta_takes_nothing_away_but_what_it_marks(source: Source) -> None:
    source.deliver(school())
    some = {"users": [row for row in school()["users"] if row["sourcedId"] == "p2"]}
    made = source.deliver(as_delta(some, "tobedeleted"), "delta")
    assert not made.whole
    with source.roster() as roster:
        assert roster.gone == {"users": {"p2": MARKED}}
        assert {"t1", "p1"} <= set(roster.people)


def test_what_was_missing_and_is_marked_then_is_marked(source: Source) -> None:
    source.deliver(school())
    source.deliver(without(school(), "p2"))
    some = {"users": [row for row in school()["users"] if row["sourcedId"] == "p2"]}
    source.deliver(as_delta(some, "tobedeleted"), "delta")
    with source.roster() as roster:
        assert roster.gone["users"] == {"p2": MARKED}


def test_a_record_that_is_held_back_is_not_gone_and_keeps_what_was_read(source: Source) -> None:
    source.deliver(school())
    made = source.deliver(changed(school(), "users", "p2", enabledUser="perhaps"))
    assert made.held["users"] == 1
    with source.roster() as roster:
        assert "p2" in roster.people
        assert "users" not in roster.gone


def test_a_focus_sees_its_people_their_classes_and_who_is_in_them(source: Source) -> None:
    source.deliver(school())
    with source.roster(Focus(people=frozenset({"p1"}))) as roster:
        assert set(roster.classes) == {"c1"}
        assert set(roster.people) == {"t1", "p1", "p2"}
        assert {one.taught_class for one in roster.all_enrollments()} == {"c1"}
