"""What a grant lets through, as data: a level, scopes that stack, the treatment of fields. It chooses; `store/visibility` works the sets out.

A rule is written as canonical JSON and read back the same; what earlier versions wrote is read too. Ids are record ids.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from rollbook.engine.choosing import Condition, Query
from rollbook.refusal import Refusal


class BadRule(Refusal):
    """These permissions cannot be understood: the part named is not one that a grant knows."""


class Level(StrEnum):
    """How much a grant lets through: nothing, what its scopes choose, or everything."""

    NONE = "none"
    BASIC = "basic"
    FULL = "full"


class Treatment(StrEnum):
    """What becomes of a field: shown as it is, left out, told without saying who it is, or told by a name that is stable for one app."""

    SHARE = "share"
    OMIT = "omit"
    MASK = "mask"
    PSEUDONYMISE = "pseudonymise"


@dataclass(frozen=True)
class Choice:
    """What is chosen of the orgs, or of the courses: all, which follows new ones, or the union of the other three.

    `ids` are chosen each for itself alone, `below` with all that hang below them at the time, and a query chooses what it finds at the time.
    """

    all: bool = False
    ids: tuple[int, ...] = ()
    below: tuple[int, ...] = ()
    queries: tuple[Query, ...] = ()

    @property
    def is_nothing(self) -> bool:
        return not (self.all or self.ids or self.below or self.queries)

    @property
    def canonical(self) -> "Choice":
        if self.all:
            return ALL
        return Choice(False, _set(self.ids), _set(self.below), tuple(sorted(set(self.queries))))


ALL = Choice(all=True)
NOTHING = Choice()


@dataclass(frozen=True)
class Scope:
    """One rule of a stack: orgs and courses, of which both must be chosen, or classes chosen one by one, which make the others needless.

    `unenrolled` adds people of the chosen orgs who are in no class at all, and with `elsewhere` those who are only in classes not shared.
    """

    orgs: Choice = NOTHING
    courses: Choice = NOTHING
    classes: tuple[int, ...] | None = None
    unenrolled: bool = False
    elsewhere: bool = False
    demographics: bool = True
    resources: bool = True
    guardians: bool = False
    name: str = ""

    @property
    def canonical(self) -> "Scope":
        if self.classes is not None:
            return replace(
                self,
                orgs=NOTHING,
                courses=NOTHING,
                classes=_set(self.classes),
                unenrolled=False,
                elsewhere=False,
            )
        elsewhere = self.unenrolled and self.elsewhere
        return replace(self, orgs=self.orgs.canonical, courses=self.courses.canonical, elsewhere=elsewhere)


TOGGLES = ("unenrolled", "elsewhere", "demographics", "resources", "guardians")
EVERYTHING = Scope(ALL, ALL, unenrolled=True, elsewhere=True)

Fields = tuple[tuple[str, str, Treatment], ...]
"""(collection, field, treatment), sorted; a field that is not named is shared."""


@dataclass(frozen=True)
class Rule:
    """What a grant lets through. `deleted`: records that left are told of as tombstones; without it they are as if they had never been."""

    level: Level = Level.NONE
    scopes: tuple[Scope, ...] = ()
    deleted: bool = False
    fields: Fields = field(default=())

    @property
    def is_everything(self) -> bool:
        """Whether the view of the whole roster is this rule's, so that it needs no rows of its own."""
        return self.working == FULL.working

    @property
    def working(self) -> "Rule":
        """What decides the sets and texts of a view, without names and order: grants that agree in it share one working."""
        scopes = {replace(scope.canonical, name="") for scope in self.scopes}
        return Rule(self.level, tuple(sorted(scopes, key=_text)), True, tuple(sorted(set(self.fields))))

    @property
    def treatments(self) -> dict[str, dict[str, Treatment]]:
        """The treatment of fields that are not shared as they are, as {collection: {field: treatment}}."""
        found: dict[str, dict[str, Treatment]] = {}
        for collection, name, treatment in self.fields:
            found.setdefault(collection, {})[name] = treatment
        return found

    def canonical(self) -> str:
        """The rule as JSON text; equal rules have equal texts."""
        return json.dumps(self.as_json(), sort_keys=True, ensure_ascii=False)

    def as_json(self) -> dict[str, Any]:
        return {
            "level": str(self.level),
            "scopes": [_scope_json(scope.canonical) for scope in self.scopes],
            "deleted": self.deleted,
            "fields": {
                collection: dict(sorted((name, str(treatment)) for name, treatment in some.items()))
                for collection, some in sorted(self.treatments.items())
            },
        }

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """The rule of a stored text. Raises BadRule."""
        return rule_of(json.loads(text))


def full(*, guardians: bool = False, deleted: bool = True, fields: Fields = ()) -> Rule:
    """Everything, with new schools and courses; guardians by their own toggle."""
    return Rule(Level.FULL, (replace(EVERYTHING, guardians=guardians),), deleted, fields)


def basic(*scopes: Scope, deleted: bool = False, fields: Fields = ()) -> Rule:
    """What at least one of the scopes lets through."""
    return Rule(Level.BASIC, scopes, deleted, fields)


FULL = full()
NONE = Rule()


# --- What it amounts to, in a word ----------------------------------------------------------------------------------------------------


class Access(StrEnum):
    """How far a grant reaches, in the words of the list of apps."""

    NO = "NO ACCESS"
    LIMITED = "LIMITED ACCESS"
    FULL = "FULL ACCESS"


def access(rule: Rule) -> tuple[Access, Access]:
    """The access to orgs and to courses. *All*, which follows new ones, is full; every one ticked by hand is limited, as anything else is."""
    if rule.level is Level.FULL:
        return Access.FULL, Access.FULL
    scopes = rule.scopes if rule.level is Level.BASIC else ()
    return _access(scopes, "orgs"), _access(scopes, "courses")


def _access(scopes: Iterable[Scope], part: str) -> Access:
    by_class = [scope for scope in scopes if scope.classes]
    choices: list[Choice] = [getattr(scope, part) for scope in scopes if scope.classes is None]
    if any(choice.all for choice in choices):
        return Access.FULL
    chosen = by_class or any(not choice.is_nothing for choice in choices)
    return Access.LIMITED if chosen else Access.NO


# --- JSON -----------------------------------------------------------------------------------------------------------------------------


def rule_of(stored: Mapping[str, Any]) -> Rule:
    """The rule of a JSON object, whether of today or of an earlier version. Raises BadRule."""
    if "level" not in stored:
        return _rule_of_schools(stored)
    try:
        level = Level(stored["level"])
        scopes = tuple(_scope_of(scope) for scope in stored.get("scopes", ()))
        deleted, fields = bool(stored.get("deleted", False)), _fields_of(stored.get("fields", {}))
    except (ValueError, TypeError, KeyError, AttributeError) as wrong:
        raise BadRule(str(wrong)) from wrong
    if level is Level.FULL:
        return full(guardians=any(scope.guardians for scope in scopes), deleted=deleted, fields=fields)
    # None keeps what was said of fields, for the day on which something is let through again.
    return basic(*scopes, deleted=deleted, fields=fields) if level is Level.BASIC else Rule(fields=fields)


def _rule_of_schools(stored: Mapping[str, Any]) -> Rule:
    """A rule that knew chosen orgs and two toggles. It told of what was deleted, and of no resources unless it was everything."""
    orgs, toggles = stored["orgs"], (bool(stored["unenrolled"]), bool(stored["demographics"]))
    if orgs is None and toggles == (True, True):
        return FULL
    choice = ALL if orgs is None else Choice(ids=tuple(orgs))
    scope = Scope(choice, ALL, unenrolled=toggles[0], demographics=toggles[1], resources=False)
    return basic(scope, deleted=True)


def _scope_json(scope: Scope) -> dict[str, Any]:
    chosen: dict[str, Any] = {"orgs": _choice_json(scope.orgs), "courses": _choice_json(scope.courses)}
    if scope.classes is not None:
        chosen = {"classes": list(scope.classes)}
    return {"name": scope.name, **chosen, **{toggle: getattr(scope, toggle) for toggle in TOGGLES}}


def _choice_json(choice: Choice) -> Any:
    """`"all"`, `"none"`, or an object with what is chosen."""
    if choice.all or choice.is_nothing:
        return "all" if choice.all else "none"
    chosen: dict[str, Any] = {"ids": list(choice.ids), "below": list(choice.below)}
    chosen["queries"] = [[condition.as_json() for condition in query] for query in choice.queries]
    return {name: some for name, some in chosen.items() if some}


def _scope_of(stored: Mapping[str, Any]) -> Scope:
    _known(stored, {"name", "orgs", "courses", "classes", *TOGGLES})
    classes = stored.get("classes")
    toggles = {toggle: bool(stored[toggle]) for toggle in TOGGLES if toggle in stored}
    return Scope(
        _choice_of(stored.get("orgs", "none")),
        _choice_of(stored.get("courses", "none")),
        None if classes is None else tuple(map(int, classes)),
        name=str(stored.get("name", "")),
        **toggles,
    )


def _choice_of(stored: Any) -> Choice:
    if isinstance(stored, str):
        return {"all": ALL, "none": NOTHING}[stored]
    _known(stored, {"ids", "below", "queries"})
    queries = (tuple(map(Condition.of, query)) for query in stored.get("queries", ()))
    ids, below = (tuple(map(int, stored.get(name, ()))) for name in ("ids", "below"))
    return Choice(False, ids, below, tuple(queries))


def _fields_of(stored: Mapping[str, Mapping[str, str]]) -> Fields:
    return tuple(
        sorted(
            (collection, name, Treatment(treatment))
            for collection, some in stored.items()
            for name, treatment in some.items()
        )
    )


def _known(stored: Mapping[str, Any], names: set[str]) -> None:
    for name in stored:
        if name not in names:
            raise KeyError(name)


def _set(ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(ids)))


def _text(scope: Scope) -> str:
    return json.dumps(_scope_json(scope), sort_keys=True)
