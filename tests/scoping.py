"""What a grant lets through, worked out once more: plainly, slowly and from nothing but the rows of a small district.

The random tests of everything that leaves the house compare with it. It shares no line with what it is compared with: it knows rules as data,
and a roster as dictionaries of rows, `{collection: {record id: row}}`, whose references are record ids.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from rollbook.engine.choosing import Condition
from rollbook.engine.scope import ALL, FULL, NONE, NOTHING, Choice, Level, Rule, Scope, basic, full
from rollbook.store.models import RECORDS, Connection, District

Row = dict[str, Any]
Roster = dict[str, dict[int, Row]]

GUARDIANS = {"guardian", "parent", "relative"}
SETS = (
    "orgs",
    "academicSessions",
    "courses",
    "classes",
    "users",
    "enrollments",
    "demographics",
    "resources",
)


# --- What is seen ---------------------------------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """The record ids let through, by collection, and the orgs at which people are shown with their roles."""

    orgs: set[int] = field(default_factory=set)
    academicSessions: set[int] = field(default_factory=set)
    courses: set[int] = field(default_factory=set)
    classes: set[int] = field(default_factory=set)
    users: set[int] = field(default_factory=set)
    enrollments: set[int] = field(default_factory=set)
    demographics: set[int] = field(default_factory=set)
    resources: set[int] = field(default_factory=set)
    chosen: set[int] = field(default_factory=set)

    def of(self, collection: str) -> set[int]:
        found: set[int] = getattr(self, collection)
        return found


def seen(roster: Roster, rule: Rule, opted_out: frozenset[int] = frozenset()) -> Seen:
    """The union of what each scope lets through; for a full grant everything."""
    if rule.level is Level.NONE:
        return Seen()
    if rule.level is Level.FULL:
        return _all(roster, rule, opted_out)
    whole = Seen()
    for scope in rule.scopes:
        part = _scope(roster, scope, opted_out)
        for name in (*SETS, "chosen"):
            whole.of(name).update(part.of(name))
    return whole


def _all(roster: Roster, rule: Rule, opted_out: frozenset[int]) -> Seen:
    it = Seen()
    it.orgs = it.chosen = _active(roster, "orgs")
    it.academicSessions = _active(roster, "academicSessions")
    it.courses = _active(roster, "courses")
    it.resources = _active(roster, "resources")
    for number in _active(roster, "classes"):
        row = roster["classes"][number]
        if row["school"] in it.orgs and row["course"] in it.courses:
            it.classes.add(number)
    it.enrollments = _enrollments(roster, it.classes, opted_out)
    for number in _active(roster, "users") - opted_out:
        has_role = any(role["role"] not in GUARDIANS for role in _roles(roster, number))
        is_enrolled = any(roster["enrollments"][one]["user"] == number for one in it.enrollments)
        if has_role or is_enrolled:
            it.users.add(number)
    if rule.scopes[0].guardians:
        it.users |= _guardians(roster, it.enrollments, opted_out)
    it.demographics = _demographics(roster, it.users)
    return it


def _scope(roster: Roster, scope: Scope, opted_out: frozenset[int]) -> Seen:
    it = Seen()
    if scope.classes is None:
        _choose_places(roster, it, scope)
    else:
        _choose_classes(roster, it, scope.classes)
    it.orgs = it.chosen | _ancestors(roster, "orgs", it.chosen)
    it.enrollments = _enrollments(roster, it.classes, opted_out)
    it.users = {roster["enrollments"][number]["user"] for number in it.enrollments}
    if scope.guardians:
        it.users |= _guardians(roster, it.enrollments, opted_out)
    if scope.unenrolled and scope.classes is None:
        it.users |= _unenrolled(roster, it, scope, opted_out)
    it.academicSessions = _sessions(roster, it)
    it.demographics = _demographics(roster, it.users) if scope.demographics else set()
    it.resources = _resources(roster, it) if scope.resources else set()
    return it


def _choose_places(roster: Roster, it: Seen, scope: Scope) -> None:
    it.chosen = _chosen(roster, "orgs", scope.orgs)
    above = _ancestors(roster, "orgs", it.chosen)
    for number in _chosen(roster, "courses", scope.courses):
        org = roster["courses"][number]["org"]
        if org is None or org in it.chosen or org in above:
            it.courses.add(number)
    for number in _active(roster, "classes"):
        row = roster["classes"][number]
        if row["school"] in it.chosen and row["course"] in it.courses:
            it.classes.add(number)


def _choose_classes(roster: Roster, it: Seen, classes: tuple[int, ...]) -> None:
    for number in _active(roster, "classes") & set(classes):
        row = roster["classes"][number]
        if row["school"] in _active(roster, "orgs") and row["course"] in _active(roster, "courses"):
            it.classes.add(number)
            it.chosen.add(row["school"])
            it.courses.add(row["course"])


def _sessions(roster: Roster, it: Seen) -> set[int]:
    found = {roster["courses"][number]["school_year"] for number in it.courses}
    for number in it.classes:
        found |= set(roster["classes"][number]["terms"])
    found &= _active(roster, "academicSessions")
    return found | _ancestors(roster, "academicSessions", found)


def _resources(roster: Roster, it: Seen) -> set[int]:
    found = set()
    for links, owner, owners in (
        ("classResources", "class", it.classes),
        ("courseResources", "course", it.courses),
    ):
        for number in _active(roster, links):
            link = roster[links][number]
            if link[owner] in owners:
                found.add(link["resource"])
    return found & _active(roster, "resources")


def _active(roster: Roster, collection: str) -> set[int]:
    return {number for number, row in roster[collection].items() if row["status"] == "active"}


def _roles(roster: Roster, user: int) -> list[Row]:
    return [
        row
        for number, row in sorted(roster["roles"].items())
        if row["user"] == user and row["status"] == "active"
    ]


def _ancestors(roster: Roster, collection: str, numbers: set[int]) -> set[int]:
    """Those above, through active ones only."""
    found = set()
    for number in numbers:
        parent = roster[collection][number]["parent"]
        while parent in _active(roster, collection) and parent not in found:
            found.add(parent)
            parent = roster[collection][parent]["parent"]
    return found - numbers


def _chosen(roster: Roster, collection: str, choice: Choice) -> set[int]:
    active = _active(roster, collection)
    if choice.all:
        return active
    found = active & set(choice.ids)
    for top in active & set(choice.below):
        found.add(top)
        for number in active:
            if top in _ancestors(roster, collection, {number}):
                found.add(number)
    for number in active:
        for query in choice.queries:
            if query and all(_holds(condition, roster[collection][number]) for condition in query):
                found.add(number)
    return found


def _holds(condition: Condition, row: Row) -> bool:
    """Words of the small districts are ASCII, each field has one value or none."""
    have = row.get({"courseCode": "code"}.get(condition.field, condition.field)) or ""
    wanted = condition.value
    if not condition.case:
        have, wanted = have.lower(), wanted.lower()
    return {
        "equals": bool(have) and have == wanted,
        "differs": not have or have != wanted,
        "contains": bool(have) and wanted in have,
        "lacks": not have or wanted not in have,
        "starts": bool(have) and have.startswith(wanted),
        "ends": bool(have) and have.endswith(wanted),
        "filled": bool(have),
        "empty": not have,
    }[condition.relation]


def _enrollments(roster: Roster, classes: set[int], opted_out: frozenset[int]) -> set[int]:
    found = set()
    for number in _active(roster, "enrollments"):
        row = roster["enrollments"][number]
        if row["class"] in classes and row["user"] in _active(roster, "users") - opted_out:
            found.add(number)
    return found


def _guardians(roster: Roster, enrollments: set[int], opted_out: frozenset[int]) -> set[int]:
    found = set()
    for number in enrollments:
        row = roster["enrollments"][number]
        if row["role"] == "student":
            for agent in roster["users"][row["user"]]["agents"]:
                is_guardian = any(role["role"] in GUARDIANS for role in _roles(roster, agent))
                if is_guardian and agent in _active(roster, "users") - opted_out:
                    found.add(agent)
    return found


def _unenrolled(roster: Roster, it: Seen, scope: Scope, opted_out: frozenset[int]) -> set[int]:
    found = set()
    for number in _active(roster, "users") - opted_out:
        belongs = any(
            role["org"] in it.chosen and role["role"] not in GUARDIANS for role in _roles(roster, number)
        )
        in_a_class = any(
            roster["enrollments"][one]["user"] == number for one in _active(roster, "enrollments")
        )
        if belongs and (scope.elsewhere or not in_a_class):
            found.add(number)
    return found


def _demographics(roster: Roster, users: set[int]) -> set[int]:
    return {
        number
        for number in _active(roster, "demographics")
        if roster["demographics"][number]["user"] in users
    }


# --- What is shown of it ----------------------------------------------------------------------------------------------------------------


def references(roster: Roster, it: Seen, collection: str, number: int) -> dict[str, set[int]]:
    """The records that a record may refer to, by member of 1.2 REST; `orgs` of a user are those of their roles."""
    row = roster[collection][number]
    match collection:
        case "orgs" | "academicSessions":
            visible = it.of(collection)
            children = {one for one in visible if roster[collection][one]["parent"] == number}
            return {"parent": {row["parent"]} & visible, "children": children}
        case "courses":
            return {
                "org": {row["org"]} & it.orgs,
                "schoolYear": {row["school_year"]} & it.academicSessions,
                "resources": _given(roster, it, "courseResources", "course", number),
            }
        case "classes":
            return {
                "course": {row["course"]},
                "school": {row["school"]},
                "terms": set(row["terms"]) & it.academicSessions,
                "resources": _given(roster, it, "classResources", "class", number),
            }
        case "users":
            return {
                "orgs": orgs_of(roster, it, number),
                "agents": set(row["agents"]) & it.users,
                "resources": _given(roster, it, "userResources", "user", number),
            }
        case "enrollments":
            school = row["school"] if row["school"] in it.orgs else roster["classes"][row["class"]]["school"]
            return {"user": {row["user"]}, "class": {row["class"]}, "school": {school}}
        case _:
            return {}


def orgs_of(roster: Roster, it: Seen, user: int) -> set[int]:
    """Where a person is shown with a role: at chosen orgs, else where they are enrolled, else where their wards are."""
    own = {role["org"] for role in _roles(roster, user)} & it.chosen
    if own:
        return own
    schools = _schools(roster, it, {user})
    if schools:
        return schools
    wards = {
        roster["enrollments"][number]["user"]
        for number in it.enrollments
        if roster["enrollments"][number]["role"] == "student"
        and user in roster["users"][roster["enrollments"][number]["user"]]["agents"]
    }
    is_guardian = any(role["role"] in GUARDIANS for role in _roles(roster, user))
    return _schools(roster, it, wards, "student") if is_guardian else set()


def _schools(roster: Roster, it: Seen, users: set[int], role: str | None = None) -> set[int]:
    return {
        roster["classes"][roster["enrollments"][number]["class"]]["school"]
        for number in it.enrollments
        if roster["enrollments"][number]["user"] in users
        and role in (None, roster["enrollments"][number]["role"])
    }


def _given(roster: Roster, it: Seen, links: str, owner: str, number: int) -> set[int]:
    return {
        roster[links][one]["resource"]
        for one in _active(roster, links)
        if roster[links][one][owner] == number and roster[links][one]["resource"] in it.resources
    }


# --- Small random districts and rules -----------------------------------------------------------------------------------------------------

SIZES = {
    "orgs": 6, "academicSessions": 6, "courses": 6, "classes": 9, "users": 20, "roles": 26, "enrollments": 26, "demographics": 9,
    "resources": 4, "courseResources": 5, "classResources": 6, "userResources": 5,
}  # fmt: skip
NAMES = ("Algebra", "algebra", "Art", "Music", "M-1", "")
ROLES = ("student", "student", "teacher", "aide", "principal", "guardian", "parent")


def random_roster(random: Random) -> Roster:
    """A small district in which everything occurs that a rule can meet; a tenth of it is deleted."""
    roster: Roster = {
        collection: {
            number: {"status": "active" if random.random() < 0.9 else "tobedeleted"}
            for number in range(1, size + 1)
        }
        for collection, size in SIZES.items()
    }
    for collection in ("orgs", "academicSessions"):
        for number, row in roster[collection].items():
            row["parent"] = random.choice((*range(1, number), None)) if random.random() < 0.8 else None
    for collection, draw in DRAWN.items():
        for number, row in roster[collection].items():
            row.update(draw(random, number))
    return roster


def _some(random: Random, collection: str) -> int:
    return random.randint(1, SIZES[collection])


def _maybe(random: Random, collection: str) -> int | None:
    return _some(random, collection) if random.random() < 0.7 else None


def _several(random: Random, collection: str, number: int) -> list[int]:
    return random.sample(range(1, SIZES[collection] + 1), number)


DRAWN: dict[str, Callable[[Random, int], Row]] = {
    "orgs": lambda random, number: {
        "name": random.choice(NAMES) or "x",
        "type": "school" if number > 2 else "district",
    },
    "academicSessions": lambda random, number: {"type": ("schoolYear", "term", "gradingPeriod")[number % 3]},
    "courses": lambda random, number: {
        "org": _maybe(random, "orgs"),
        "school_year": _maybe(random, "academicSessions"),
        "title": random.choice(NAMES) or "x",
        "code": random.choice(NAMES),
    },
    "classes": lambda random, number: {
        "course": _some(random, "courses"),
        "school": _some(random, "orgs"),
        "terms": _several(random, "academicSessions", random.randint(1, 2)),
    },
    "users": lambda random, number: {
        "agents": _several(random, "users", 2) if random.random() < 0.5 else [],
        "primary": _maybe(random, "orgs"),
    },
    "roles": lambda random, number: {
        "user": _some(random, "users"),
        "org": _some(random, "orgs"),
        "role": random.choice(ROLES),
    },
    "enrollments": lambda random, number: {
        "class": _some(random, "classes"),
        "user": _some(random, "users"),
        "school": _some(random, "orgs"),
        "role": random.choice(("student", "student", "teacher")),
    },
    "demographics": lambda random, number: {"user": number},
    "courseResources": lambda random, number: {
        "course": _some(random, "courses"),
        "resource": _some(random, "resources"),
    },
    "classResources": lambda random, number: {
        "class": _some(random, "classes"),
        "resource": _some(random, "resources"),
    },
    "userResources": lambda random, number: {
        "user": _some(random, "users"),
        "resource": _some(random, "resources"),
    },
}


def random_rule(random: Random) -> Rule:
    """None and full now and then, mostly one scope or two."""
    kind = random.random()
    if kind < 0.08:
        return NONE
    if kind < 0.2:
        return random.choice(
            (FULL, full(deleted=False), full(guardians=True), full(guardians=True, deleted=False))
        )
    scopes = [_random_scope(random) for _ in range(random.choice((1, 1, 1, 2, 3)))]
    return basic(*scopes, deleted=random.random() < 0.5)


def _random_scope(random: Random) -> Scope:
    toggles = {name: random.random() < 0.5 for name in ("demographics", "resources", "guardians")}
    if random.random() < 0.2:
        return Scope(classes=tuple(random.sample(range(1, SIZES["classes"] + 1), 3)), **toggles)
    return Scope(
        _random_choice(random, "orgs", "name"),
        _random_choice(random, "courses", random.choice(("title", "courseCode"))),
        unenrolled=random.random() < 0.5,
        elsewhere=random.random() < 0.3,
        **toggles,
    )


def _random_choice(random: Random, collection: str, name: str) -> Choice:
    kind = random.random()
    if kind < 0.3:
        return ALL
    if kind < 0.36:
        return NOTHING
    ids = range(1, SIZES[collection] + 1)
    if kind < 0.7:
        below = tuple(random.sample(ids, 1)) if collection == "orgs" and random.random() < 0.5 else ()
        return Choice(ids=tuple(random.sample(ids, random.randint(1, 3))), below=below)
    relations = ("equals", "differs", "contains", "lacks", "starts", "ends", "filled", "empty")
    queries = tuple(
        tuple(
            Condition(
                name,
                random.choice(relations),
                random.choice(("Algebra", "art", "M", "u")),
                random.random() < 0.5,
            )
            for _ in range(random.randint(1, 2))
        )
        for _ in range(random.randint(1, 2))
    )
    return Choice(queries=queries)


# --- The same in the database -----------------------------------------------------------------------------------------------------------------

COLUMNS = {
    "parent": "parent_id", "org": "org_id", "school_year": "school_year_id", "course": "course_id", "school": "school_id",
    "class": "class_id", "user": "user_id", "resource": "resource_id", "primary": "primary_org_id", "code": "course_code",
}  # fmt: skip
LETTERS = {
    "orgs": "O", "academicSessions": "S", "courses": "C", "classes": "K", "users": "U", "roles": "P", "enrollments": "E",
    "demographics": "U", "resources": "R", "courseResources": "CR", "classResources": "KR", "userResources": "UR",
}  # fmt: skip
FILLED: dict[str, Row] = {
    "academicSessions": {"title": "s", "title_folded": "s", "start_date": "2026-08-01", "end_date": "2027-07-01", "school_year": "2027"},
    "classes": {"title": "k", "title_folded": "k"},
    "users": {
        "enabled_user": True, "given_name": "a", "given_name_folded": "a", "family_name": "b", "family_name_folded": "b",
    },
    "roles": {"role_type": "primary"},
    "resources": {"vendor_resource_id": "v"},
}  # fmt: skip


def served_id(collection: str, number: int) -> str:
    return f"{LETTERS[collection]}{number}"


def store(district: District, roster: Roster) -> None:
    """The rows, as they are, into the tables of the district, which is empty."""
    connection = Connection.objects.create(district=district, kind="folder", name="scoping")
    for collection, rows in roster.items():
        model = RECORDS[collection]
        model._default_manager.bulk_create(
            model(
                district=district, id=number, connection_id=connection.pk, source_id=served_id(collection, number),
                sourced_id=served_id(collection, number), **_columns(collection, row),
            )
            for number, row in rows.items()
        )  # fmt: skip


def _columns(collection: str, row: Row) -> Row:
    values = {COLUMNS.get(name, name): value for name, value in row.items()}
    for name in ("terms", "agents"):
        if name in values:
            ids = values.pop(name)
            values[{"terms": "term_ids", "agents": "agent_ids"}[name]] = str(ids) if ids else None
    for name in ("name", "title", "course_code"):
        if name in values:
            values[f"{name}_folded"] = (values[name] or "").lower() or None
            values[name] = values[name] or None
    return FILLED.get(collection, {}) | values
