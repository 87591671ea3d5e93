"""A year of one customer, by the commands: a small roster that changes as schools do, and nights on days of one's own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import time_machine

from rollbook.engine.sync.planning import make_plan
from rollbook.flows.members import roles_held, sites_of
from rollbook.flows.sync.connections import find_connection, policy_of
from rollbook.flows.sync.worlds import world_of
from rollbook.store.models import Group, Member, Membership, Organization
from rollbook.store.sync_shelf import accepted_read
from tests.command import rollbook
from tests.flows.sync.organizations import an_organization, deliver

Row = dict[str, str]
Figures = dict[str, dict[str, int]]
REFERENCES = (
    "userSourcedId",
    "classSourcedId",
    "schoolSourcedId",
    "orgSourcedId",
    "parentSourcedId",
    "courseSourcedId",
    "termSourcedIds",
)


# --- The roster -------------------------------------------------------------------------------------------------------------------


class Roster:
    """The tables of a package, {table: {sourcedId: row}}, and what happens at schools, as acts."""

    def __init__(self) -> None:
        names = ("orgs", "academicSessions", "courses", "classes", "users", "roles", "enrollments")
        self.tables: dict[str, dict[str, Row]] = {name: {} for name in names}
        self.put("orgs", "district", name="District", type="district")
        self.put("courses", "course", title="Course", orgSourcedId="district")
        self.year("2026", "2026-08-17", "2027-06-11")

    def put(self, table: str, source_id: str, **values: str) -> None:
        """A record, or other values of one that is there."""
        self.tables[table][source_id] = self.tables[table].get(source_id, {"sourcedId": source_id}) | values

    def year(self, name: str, first: str, last: str) -> None:
        about = {"type": "schoolYear", "startDate": first, "endDate": last, "schoolYear": last[:4]}
        self.put("academicSessions", name, title=f"Year {name}", **about)

    def school(self, source_id: str, name: str, identifier: str = "") -> None:
        about = {"type": "school", "identifier": identifier, "parentSourcedId": "district"}
        self.put("orgs", source_id, name=name, **about)

    def person(self, source_id: str, role: str, *orgs: str, **values: str) -> None:
        """Somebody with one role at some orgs; names, address and number are made of the sourcedId."""
        known = {"givenName": source_id.title(), "familyName": f"Of{source_id}", "username": source_id}
        known |= {"email": f"{source_id}@school.example", "identifier": f"no-{source_id}"}
        self.put("users", source_id, enabledUser="true", **known | values)
        self.post(source_id, role, *orgs)

    def post(self, person: str, role: str, *orgs: str) -> None:
        """From now on the person has this role at these orgs, and no other."""
        self.drop("roles", userSourcedId=person)
        for org in orgs:
            about = {"roleType": "primary" if org == orgs[0] else "secondary", "role": role}
            self.put("roles", f"r-{person}-{org}", userSourcedId=person, orgSourcedId=org, **about)

    def lesson(self, source_id: str, title: str, school: str, teachers: str, pupils: str = "") -> None:
        """A class of the latest year, with people by their sourcedIds, apart by spaces."""
        term = max(self.tables["academicSessions"])
        about = {"schoolSourcedId": school, "courseSourcedId": "course", "classType": "scheduled"}
        self.put("classes", source_id, title=title, classCode=source_id, termSourcedIds=term, **about)
        self.enroll(source_id, "teacher", *teachers.split())
        self.enroll(source_id, "student", *pupils.split())

    def enroll(self, lesson: str, role: str, *people: str) -> None:
        for person in people:
            about = {"classSourcedId": lesson, "userSourcedId": person, "role": role}
            school = self.tables["classes"][lesson]["schoolSourcedId"]
            self.put("enrollments", f"e-{lesson}-{person}", schoolSourcedId=school, **about)

    def withdraw(self, lesson: str, *people: str) -> None:
        for person in people:
            self.drop("enrollments", classSourcedId=lesson, userSourcedId=person)

    def drop(self, table: str, **values: str) -> None:
        """Without the records that have these values."""
        rows = self.tables[table]
        self.tables[table] = {
            one: row for one, row in rows.items() if any(row.get(name) != value for name, value in values.items())
        }  # fmt: skip

    def leave(self, *people: str) -> None:
        """They are gone, with all that names them."""
        for person in people:
            del self.tables["users"][person]
            self.drop("roles", userSourcedId=person)
            self.drop("enrollments", userSourcedId=person)

    def close(self, *lessons: str) -> None:
        for lesson in lessons:
            del self.tables["classes"][lesson]
            self.drop("enrollments", classSourcedId=lesson)

    def exchange(self, one: str, other: str, name: str) -> None:
        """Two people exchange a value."""
        users = self.tables["users"]
        users[one], users[other] = (
            users[one] | {name: users[other][name]},
            users[other] | {name: users[one][name]},
        )

    def rekey(self, before: str) -> None:
        """Every record has another sourcedId, as after a change of the student information system."""
        for table, rows in self.tables.items():
            self.tables[table] = {
                before + one: row
                | {"sourcedId": before + one}
                | {name: before + row[name] for name in REFERENCES if row.get(name)}
                for one, row in rows.items()
            }


def two_schools() -> Roster:
    """Four teachers, one of them at both schools, staff of every kind, guardians, twelve pupils, four classes with pupils and one without."""
    made = Roster()
    made.school("north", "North School", "N1")
    made.school("south", "South School", "S1")
    for name, role, *orgs in STAFF:
        made.person(name, role, *orgs)
    for place, school, grade in (("n", "north", "05"), ("s", "south", "06")):
        for number in range(1, 7):
            made.person(f"{place}{number}", "student", school, grades=grade)
    made.lesson("m5", "Mathematics 5", "north", "ada", "n1 n2 n3")
    made.lesson("r5", "Reading 5", "north", "cid", "n4 n5 n6")
    made.lesson("m6", "Mathematics 6", "south", "ben", "s1 s2 s3 s4 s5 s6")
    made.lesson("a6", "Art 6", "south", "cid", "s1 s2 s3")
    made.lesson("choir", "Choir", "south", "dee")
    made.enroll("m6", "proctor", "pia")
    return made


STAFF = (
    ("ada", "teacher", "north"),
    ("ben", "teacher", "south"),
    ("cid", "teacher", "north", "south"),
    ("dee", "teacher", "south"),
    ("pam", "principal", "north"),
    ("kay", "counselor", "south"),
    ("sam", "siteAdministrator", "south"),
    ("sue", "districtAdministrator", "district"),
    ("sys", "systemAdministrator", "district"),
    ("abe", "aide", "north"),
    ("pia", "proctor", "south"),
    ("gus", "guardian", "north"),
    ("mia", "parent", "north"),
    ("rex", "relative", "south"),
)
GUARDIANS = {"gus", "mia", "rex"}


# --- The year ---------------------------------------------------------------------------------------------------------------------


def told(*arguments: str, expect: int = 0) -> Any:
    """What a command says as JSON."""
    return json.loads(rollbook(*arguments, "--json", expect=expect).stdout)


@dataclass
class Year:
    """An organization that is kept in step with `roster`, which lies in `folder`. Members are called by the numbers the roster gives them."""

    organization: Organization
    folder: Path
    roster: Roster
    number: str = ""
    whole: list[str] = field(default_factory=list)

    @contextmanager
    def on(self, day: str) -> Iterator[None]:
        """At two in the night of that day."""
        with time_machine.travel(f"{day}T02:00:00+00:00"):
            yield

    def connect(self, day: str, preset: str, *more: str) -> None:
        """Requested, tested, activated."""
        self.deliver()
        with self.on(day):
            about = ("--kind", "folder", "--preset", preset, "--set", f"path={self.folder}", *more)
            made = told("sync", "connect", str(self.organization.pk), "Roster", *about)
            self.number = str(made["connection"])
            told("sync", "test", self.number)
            told("sync", "activate", self.number)

    def deliver(self) -> None:
        deliver(self.folder, {name: rows.values() for name, rows in self.roster.tables.items() if rows})

    def sync(self, day: str, verb: str, *more: str, expect: int = 0) -> Any:
        """A command about this connection with what the roster is now; what it says."""
        self.deliver()
        with self.on(day):
            said = told("sync", verb, self.number, *more, expect=expect)
        if isinstance(said, dict) and said.get("read"):
            self.whole = said["read"]["whole"] or self.whole
        return said

    def night(self, day: str, left: Figures | None = None) -> Figures:
        """The figures of a sync. Behind it nothing is left to do; `left` is what reading the same once more would come to."""
        found: Figures = self.sync(day, "run")["statistics"]
        assert self.left(day) == (left or {})
        return found

    def approve(self, day: str, run: int, *more: str) -> Figures:
        with self.on(day):
            said = told("sync", "approve", str(run), *more)
        assert said["outcome"] == "success", said
        found: Figures = said["statistics"]
        return found

    def left(self, day: str) -> Figures:
        """What a sync of what was read last would do now."""
        connection = find_connection(int(self.number))
        read = accepted_read(connection)
        assert read is not None
        with self.on(day), world_of(connection, read, whole=self.whole) as world:
            return make_plan(world, policy_of(connection), lambda _: None).counts

    # --- Looking ---

    def members(self) -> dict[str, Member]:
        """By the number the roster gave them without `no-`; who has none by the name in their address."""
        found = Member.objects.filter(organization=self.organization).select_related("organization__product")
        return {
            one.identifier.removeprefix("no-") or one.email.partition("@")[0].lower(): one for one in found
        }

    def member(self, name: str) -> Member:
        return self.members()[name]

    def states(self) -> dict[str, set[str]]:
        """{state: who is in it}"""
        found: dict[str, set[str]] = {}
        for name, one in self.members().items():
            found.setdefault(one.state, set()).add(name)
        return found

    def roles(self, name: str) -> tuple[str, ...]:
        return roles_held(self.member(name))

    def sites(self, name: str) -> list[str]:
        return [one.name for one in sites_of(self.member(name))]

    def groups(self) -> dict[str, dict[str, str]]:
        """{title: {member: role}} of what is not archived and holds; of two with one title the later."""
        names = {one.id: name for name, one in self.members().items() if one.state != "archived"}
        groups = Group.objects.filter(organization=self.organization, state="active").order_by("pk")
        found: dict[int, dict[str, str]] = {one.id: {} for one in groups}
        for row in Membership.objects.filter(organization=self.organization, state="active"):
            if row.group_id in found and row.member_id in names:
                found[row.group_id][names[row.member_id]] = row.role
        return {one.title: found[one.id] for one in groups}


def a_year(folder: Path, roster: Roster, **about: Any) -> Year:
    return Year(an_organization(**about), folder, roster)
