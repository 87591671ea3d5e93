"""What a grant lets through, in words: its level, each rule of its stack, its toggles, its fields."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rollbook.console.querying import said
from rollbook.console.sheets import name_of
from rollbook.console.words import COLLECTIONS, field_words
from rollbook.engine.scope import Choice, Level, Rule, Scope, Treatment
from rollbook.store.models import RECORDS, District
from rollbook.store.reference import referenced

FEW = 5
"""So many names are told; of the others, how many there are."""

LEVELS = {
    Level.NONE: (
        gettext_lazy("None"),
        gettext_lazy("It sees nothing: empty lists, and no package is delivered."),
    ),
    Level.BASIC: (
        gettext_lazy("Basic"),
        gettext_lazy("It sees what belongs to the organizations and courses that you choose."),
    ),
    Level.FULL: (
        gettext_lazy("Full"),
        gettext_lazy(
            "It sees all organizations and courses, also those to come, and everybody, in a class or not."
        ),
    ),
}

TOGGLES = {
    "unenrolled": (
        gettext_lazy("Unenrolled users"),
        gettext_lazy(
            "Also people of the chosen organizations who are in no class at all, such as administrators and principals. "
            "Without it only teachers and students who are in a class are sent."
        ),
    ),
    "elsewhere": (
        gettext_lazy("Also people who are only in classes that are not shared"),
        gettext_lazy(
            "With unenrolled users: somebody who only takes courses that you did not choose is sent too, without those classes."
        ),
    ),
    "demographics": (
        gettext_lazy("Demographics"),
        gettext_lazy("Date of birth, sex, origin. Switch this off for an app that does not need them."),
    ),
    "resources": (
        gettext_lazy("Resources"),
        gettext_lazy("The learning materials that belong to the shared classes and courses."),
    ),
    "guardians": (
        gettext_lazy("Guardians"),
        gettext_lazy("Parents and guardians of the students it sees, with how to reach them."),
    ),
    "deleted": (
        gettext_lazy("Deleted records"),
        gettext_lazy(
            "It is told which records are gone, by their id and nothing else, so that it can ask for changes only. "
            "Without it, only reading everything again is exact."
        ),
    ),
}
"""{toggle: (what it is called, what it does)}; `deleted` belongs to the whole, the others to each rule."""

TREATMENTS = {
    Treatment.SHARE: gettext_lazy("Share"),
    Treatment.OMIT: gettext_lazy("Leave out"),
    Treatment.MASK: gettext_lazy("Mask"),
    Treatment.PSEUDONYMISE: gettext_lazy("Pseudonym"),
}


@dataclass(frozen=True)
class ScopeWords:
    """One rule of a stack, in words: what is chosen of the organizations and courses (or classes), and its toggles."""

    number: int
    name: str
    parts: list[tuple[Any, list[str]]]
    on: list[Any]
    off: list[Any]


@dataclass(frozen=True)
class RuleWords:
    """A rule in words. `fields` are those not shared as they are; `reference` the orgs above what is chosen, told of for reference only."""

    level: Any
    says: Any
    scopes: list[ScopeWords]
    on: list[Any] = field(default_factory=list)
    off: list[Any] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    reference: list[str] = field(default_factory=list)


def rule_words(district: District, rule: Rule, *, is_now: bool = True) -> RuleWords:
    """The rule in words, with the names of what it names; without `is_now`, of what it comes to in the roster of today nothing is said."""
    level, says = LEVELS[rule.level]
    scopes = [scope_words(district, scope, number) for number, scope in enumerate(rule.scopes)]
    if rule.level is not Level.BASIC:
        guardians = rule.level is Level.FULL and any(scope.guardians for scope in rule.scopes)
        switched = {"guardians": guardians, "deleted": rule.deleted} if rule.level is Level.FULL else {}
        scopes = []
    else:
        switched = {"deleted": rule.deleted}
    on, off = _switched(switched)
    fields = [
        f"{COLLECTIONS.get(collection, collection)}: {field_words(name)} · {TREATMENTS[treatment]}"
        for collection, name, treatment in rule.fields
    ]
    return RuleWords(level, says, scopes, on, off, fields, _for_reference(district, rule) if is_now else [])


def _for_reference(district: District, rule: Rule) -> list[str]:
    names = [one.name for one in referenced(district.pk, rule)]
    return [*names[:FEW], *_and_more(len(names) - FEW)]


def scope_words(district: District, scope: Scope, number: int) -> ScopeWords:
    on, off = _switched({toggle: getattr(scope, toggle) for toggle in _toggles(scope)})
    if scope.classes is not None:
        parts = [(_("Classes"), _named(district, "classes", scope.classes) or [_("None")])]
    else:
        parts = [
            (_("Organizations"), _chosen(district, "orgs", scope.orgs)),
            (_("Courses"), _chosen(district, "courses", scope.courses)),
        ]
    return ScopeWords(number, scope.name, parts, on, off)


def _toggles(scope: Scope) -> Iterable[str]:
    """The toggles that mean something for this rule."""
    if scope.classes is not None:
        return ("demographics", "resources", "guardians")
    beside = ("unenrolled", "elsewhere") if scope.unenrolled else ("unenrolled",)
    return (*beside, "demographics", "resources", "guardians")


def _switched(toggles: dict[str, bool]) -> tuple[list[Any], list[Any]]:
    return (
        [TOGGLES[name][0] for name, is_on in toggles.items() if is_on],
        [TOGGLES[name][0] for name, is_on in toggles.items() if not is_on],
    )


def _chosen(district: District, collection: str, choice: Choice) -> list[str]:
    if choice.all:
        return [_("All, also those to come")]
    below = [
        _("%(name)s, with all below") % {"name": name} for name in _named(district, collection, choice.below)
    ]
    queries = [_("where %(query)s") % {"query": said(query)} for query in choice.queries]
    return [*below, *_named(district, collection, choice.ids), *queries] or [_("None")]


def _named(district: District, collection: str, ids: tuple[int, ...]) -> list[str]:
    """The first few by name, then how many more."""
    if not ids:
        return []
    records = RECORDS[collection]._default_manager.filter(district=district, id__in=ids[:FEW])
    names = sorted(name_of(record) for record in records)
    return [*names, *_and_more(len(ids) - FEW)]


def _and_more(more: int) -> list[str]:
    return (
        [ngettext("and %(number)s more", "and %(number)s more", more) % {"number": more}] if more > 0 else []
    )
