"""Manual records as the console's forms have them: what was typed, what there is to choose from, and what a plan would change, in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollbook.console.browse import Question, page_of
from rollbook.console.cells import Names
from rollbook.console.sheets import SHEETS, name_of
from rollbook.console.words import ACTIONS, COLLECTIONS, FLOWS, field_words, vocabulary_words
from rollbook.flows.districts import MANUAL
from rollbook.flows.manual.acts import COLLECTIONS as COLLECTIONS_BY_HAND
from rollbook.flows.manual.acts import Problem
from rollbook.flows.manual.entries import ROLE_FIELDS, Entry, new_id
from rollbook.flows.manual.records import history_of
from rollbook.oneroster.collections import COLLECTION
from rollbook.oneroster.spec import Vocabulary
from rollbook.oneroster.vocabularies import ENROLLMENT_ROLE_12, USER_ROLE_12
from rollbook.store.models import RECORDS, Class, Connection, District, Org, Record
from rollbook.store.models.roster import ACTIVE
from rollbook.store.plans import PlannedChange

MAIN = ("givenName", "familyName", "username", "email", "identifier", "grades")
MORE = (
    "middleName",
    "preferredGivenName",
    "preferredMiddleName",
    "preferredFamilyName",
    "pronouns",
    "phone",
    "sms",
    "userIds",
    "userMasterIdentifier",
)
NEEDED = ("givenName", "familyName", "username")

HINTS: dict[str, Any] = {
    "username": gettext_lazy(
        "What the person signs in with. For an administrator it is usually the e-mail address."
    ),
    "identifier": gettext_lazy("The number the school knows the person by."),
    "grades": gettext_lazy("With commas between them, for example 09,10. Leave it empty for staff."),
    "userIds": gettext_lazy("Ids in other systems, each as {kind:id}, with commas between them."),
}

CHOSEN = {"userSourcedId": "users", "classSourcedId": "classes", "agentSourcedIds": "users"}
"""The fields for which a record is looked for, and where."""

MANY = ("agentSourcedIds",)
OFFERED = 10
SPARE_ROLES = 1
MOST_ROLES = 40
WHOSE_ROLE = ("roles", "userSourcedId")
"""Said already: roles are shown with their person."""

NOT_TYPED = ("csrfmiddlewaretoken", "step", "seen")

Problems = Sequence[Problem]


@dataclass(frozen=True)
class Input:
    """A box to type in."""

    name: str
    words: Any
    value: str
    needed: bool
    hint: Any
    problems: list[str]

    @property
    def is_date(self) -> bool:
        return self.name.endswith("Date")


@dataclass(frozen=True)
class RoleRow:
    """One role of a person as it is typed; `kept` is the id of one that is there already."""

    number: int
    kept: str
    role: str
    org: str
    begins: str
    ends: str
    problems: list[str]


@dataclass(frozen=True)
class Choice:
    """A record that can be chosen, by its served id."""

    id: str
    name: str
    about: str
    chosen: bool
    gone: bool = False


@dataclass(frozen=True)
class Chooser:
    """Looking for a record and choosing it. `choices` has what is chosen in front."""

    name: str
    words: Any
    many: bool
    search: str
    choices: list[Choice]
    problems: list[str] = field(default_factory=list)

    @property
    def found_nothing(self) -> bool:
        return bool(self.search) and all(choice.chosen for choice in self.choices)


@dataclass(frozen=True)
class Told:
    """One change of a plan in words: `differences` are (what, before, after), records by their names."""

    collection: Any
    action: Any
    source_id: str
    differences: list[tuple[Any, str, str]]


# --- What was typed ---------------------------------------------------------------------------------------------------------------


def typed_person(typed: QueryDict, stored: Entry | None) -> Entry:
    """The person a form describes; what the form has no box for stays as it is stored."""
    values = {name: typed.get(name, "").strip() for name in (*MAIN, *MORE)}
    values["enabledUser"] = "true" if "enabledUser" in typed else "false"
    values["agentSourcedIds"] = ",".join(typed.getlist("agentSourcedIds"))
    sourced_id = stored.sourced_id if stored else typed.get("sourcedId", "").strip() or new_id()
    return Entry("users", sourced_id, {**(stored.values if stored else {}), **values}, typed_roles(typed))


def typed_roles(typed: QueryDict) -> tuple[dict[str, str], ...]:
    """The roles in which anything is filled in, in their order; what the box of one says beyond its fields is its id."""
    roles = []
    for number in range(MOST_ROLES):
        role = {name: typed.get(f"role-{number}-{name}", "").strip() for name in ROLE_FIELDS}
        if role["role"] or role["orgSourcedId"]:
            kept = typed.get(f"role-{number}-sourcedId", "").strip()
            roles.append(role | ({"sourcedId": kept} if kept else {}))
    return tuple(roles)


def typed_enrollment(typed: QueryDict, stored: Entry | None) -> Entry:
    names = ("userSourcedId", "classSourcedId", "role", "beginDate", "endDate")
    values = {name: typed.get(name, "").strip() for name in names}
    values["primary"] = "true" if "primary" in typed else "false" if values["role"] == "teacher" else ""
    sourced_id = stored.sourced_id if stored else typed.get("sourcedId", "").strip() or new_id()
    return Entry("enrollments", sourced_id, {**(stored.values if stored else {}), **values})


def carried(typed: QueryDict) -> list[tuple[str, str]]:
    """All that was typed, to be sent once more with the confirmation."""
    return [
        (name, value) for name, values in typed.lists() if name not in NOT_TYPED and not name.startswith("find-")
        for value in values
    ]  # fmt: skip


# --- The forms --------------------------------------------------------------------------------------------------------------------


def person_form(district: District, entry: Entry, problems: Problems, typed: QueryDict) -> dict[str, Any]:
    spare = typed.get("step") == "more" or not entry.roles
    return {
        "inputs": [_input(name, entry, problems) for name in MAIN],
        "more": [_input(name, entry, problems) for name in MORE],
        "more_is_open": any(entry.values.get(name) for name in MORE) or _any_of(problems, MORE),
        "enabled": entry.values.get("enabledUser", "true") == "true",
        "roles": _role_rows(entry, problems, SPARE_ROLES if spare else 0),
        "role_problems": said(problems, "roles"),
        "role_words": _words(USER_ROLE_12, [role.get("role", "") for role in entry.roles]),
        "orgs": _orgs(district, [role.get("orgSourcedId", "") for role in entry.roles]),
        "choosers": [chooser(district, "agentSourcedIds", _agents(entry), typed, problems)],
    }


def enrollment_form(district: District, entry: Entry, problems: Problems, typed: QueryDict) -> dict[str, Any]:
    choosers = [
        chooser(district, name, [entry.values.get(name, "")], typed, problems)
        for name in ("userSourcedId", "classSourcedId")
    ]
    return {
        "choosers": choosers,
        "role": entry.values.get("role", ""),
        "role_problems": said(problems, "role"),
        "role_words": _words(ENROLLMENT_ROLE_12, [entry.values.get("role", "")]),
        "is_main": entry.values.get("primary") == "true",
        "dates": [_input(name, entry, problems) for name in ("beginDate", "endDate")],
    }


def said(problems: Problems, name: str, row: int | None = None) -> list[str]:
    """What is wrong with a field."""
    return [one.words for one in problems if one.field == name and one.row == row]


def said_elsewhere(problems: Problems, collection: str) -> list[str]:
    """What is wrong with what no form has a box for."""
    boxes = {*MAIN, *MORE, "agentSourcedIds", "roles", "sourcedId"}
    if collection == "enrollments":
        boxes = {"userSourcedId", "classSourcedId", "role", "beginDate", "endDate", "sourcedId"}
    return [
        f"{field_words(one.field)}: {one.words}"
        for one in problems
        if one.row is None and one.field not in boxes
    ]


def _any_of(problems: Problems, names: Iterable[str]) -> bool:
    return any(one.field in names for one in problems if one.row is None)


def _input(name: str, entry: Entry, problems: Problems) -> Input:
    value = entry.values.get(name, "")
    return Input(name, field_words(name), value, name in NEEDED, HINTS.get(name, ""), said(problems, name))


def _role_rows(entry: Entry, problems: Problems, spare: int) -> list[RoleRow]:
    roles: list[Mapping[str, str]] = [*entry.roles, *({} for _spare in range(spare))]
    return [
        RoleRow(
            number,
            role.get("sourcedId", ""),
            role.get("role", ""),
            role.get("orgSourcedId", ""),
            role.get("beginDate", ""),
            role.get("endDate", ""),
            [f"{field_words(one.field)}: {one.words}" for one in problems if one.row == number],
        )
        for number, role in enumerate(roles[:MOST_ROLES])
    ]


def _words(vocabulary: Vocabulary, used: Iterable[str]) -> list[tuple[str, Any]]:
    """The words to choose from, by how they read; words beyond the vocabulary that are used stay."""
    beyond = [word for word in used if word and word not in vocabulary.words]
    return sorted(
        ((word, vocabulary_words(word)) for word in (*vocabulary.words, *beyond)),
        key=lambda pair: str(pair[1]),
    )


def _orgs(district: District, used: Iterable[str]) -> list[tuple[str, str]]:
    """(id, name) of every living org, and of those named that are not."""
    orgs = Org.objects.filter(district=district, status=ACTIVE).order_by("name_folded", "id")
    found = [(one.sourced_id, f"{one.name} ({one.sourced_id})") for one in orgs]
    known = {sourced_id for sourced_id, _name in found}
    return [*found, *((one, one) for one in dict.fromkeys(used) if one and one not in known)]


def _agents(entry: Entry) -> list[str]:
    return [one for one in entry.values.get("agentSourcedIds", "").split(",") if one]


# --- On the page of a record ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Past:
    """One run of a record's history, in words."""

    run: Any
    flow: Any
    changes: list[Told]


@dataclass(frozen=True)
class Owner:
    """By which connection a record came in, and of a manual one what was done to it."""

    name: str
    is_manual: bool
    can_edit: bool
    history: list[Past]


def owner_of(district: District, collection: str, record: Record) -> Owner | None:
    """None where the connection is not known any more."""
    connection = Connection.objects.filter(district=district, pk=record.connection_id).first()
    if connection is None:
        return None
    by_hand = connection.kind == MANUAL
    past = history_of(record, collection) if by_hand else []
    history = [
        Past(one.run, FLOWS.get(one.run.flow, one.run.flow), told(district, one.changes)) for one in past
    ]
    return Owner(connection.name, by_hand, by_hand and collection in COLLECTIONS_BY_HAND, history)


# --- Choosing records -------------------------------------------------------------------------------------------------------------


def chooser(
    district: District, name: str, chosen: Sequence[str], typed: QueryDict, problems: Problems = ()
) -> Chooser:
    """What is chosen already, and what the search of this field finds."""
    collection, search = CHOSEN[name], typed.get(f"find-{name}", "").strip()[:200].replace("\0", "")
    ids = [one for one in chosen if one]
    records = RECORDS[collection]._default_manager.filter(district=district, sourced_id__in=ids)
    kept = {one.sourced_id: one for one in records}
    found = (
        page_of(district, SHEETS[collection], _question(collection, search)).rows[:OFFERED] if search else []
    )
    others = [one for one in found if one.sourced_id not in kept]
    about = _about(district, collection, [*kept.values(), *others])
    choices = [_choice(one, kept.get(one), about, True) for one in ids]
    choices += [_choice(one.sourced_id, one, about, False) for one in others]
    return Chooser(name, field_words(name), name in MANY, search, choices, said(problems, name))


def _question(collection: str, search: str) -> Question:
    return Question(search=search, sort=SHEETS[collection].order)


def _choice(sourced_id: str, record: Record | None, about: Mapping[int, str], chosen: bool) -> Choice:
    if record is None:
        return Choice(sourced_id, sourced_id, _("Not in the roster"), chosen, gone=True)
    return Choice(sourced_id, name_of(record), about[record.id], chosen, record.status != ACTIVE)


def _about(district: District, collection: str, records: Sequence[Record]) -> dict[int, str]:
    """What tells two of one name apart: of a person the roles, of a class its code and school."""
    names = Names(district)
    if collection == "users":
        names.people.update(one.id for one in records)
        names.look_up()
        return {
            one.id: ", ".join(str(vocabulary_words(role)) for role in names.roles[one.id]) for one in records
        }
    places = {one.id: one for one in records if isinstance(one, Class)}
    names.want("orgs", [one.school_id for one in places.values()])
    names.look_up()
    return {
        number: ", ".join(part for part in (one.class_code, names.cell("orgs", one.school_id).text) if part)
        for number, one in places.items()
    }


# --- What would change ------------------------------------------------------------------------------------------------------------


def told(district: District, changes: Sequence[PlannedChange]) -> list[Told]:
    """The changes in words; what refers to a record names it."""
    named = _named(district, changes)
    return [
        Told(
            COLLECTIONS[one.collection],
            ACTIONS[one.action],
            one.source_id,
            [
                (field_words(each.field), _plain(one, each.field, each.before, named), _plain(one, each.field, each.after, named))
                for each in one.differences
                if (one.collection, each.field) != WHOSE_ROLE
            ],
        )
        for one in changes
    ]  # fmt: skip


def _targets(collection: str) -> dict[str, str]:
    return {one.name: one.target or "" for one in COLLECTION[collection].references}


def _named(district: District, changes: Sequence[PlannedChange]) -> dict[tuple[str, str], str]:
    """Names by (collection, served id) of all that the changes refer to."""
    wanted: dict[str, set[str]] = {}
    for change in changes:
        targets = _targets(change.collection)
        for one in change.differences:
            if one.field in targets:
                ids = f"{one.before},{one.after}".split(",")
                wanted.setdefault(targets[one.field], set()).update(filter(None, ids))
    return {
        (collection, record.sourced_id): name_of(record)
        for collection, ids in wanted.items()
        for record in RECORDS[collection]._default_manager.filter(district=district, sourced_id__in=ids)
    }


def _plain(change: PlannedChange, name: str, value: str, named: Mapping[tuple[str, str], str]) -> str:
    target = _targets(change.collection).get(name)
    if target:
        return ", ".join(_with_name(target, one, named) for one in value.split(",") if one)
    if value in ("true", "false"):
        return _("Yes") if value == "true" else _("No")
    return str(vocabulary_words(value)) if name in ("role", "roleType") else value


def _with_name(collection: str, one: str, named: Mapping[tuple[str, str], str]) -> str:
    name = named.get((collection, one), one)
    return name if name == one else f"{name} ({one})"
