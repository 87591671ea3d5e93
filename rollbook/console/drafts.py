"""Permissions under way: what is typed on one page after the other, carried along in the form until it is saved. Nothing is stored before.

A draft keeps what was chosen for a level that is not chosen now, so that looking at *Full* does not lose the schools ticked under *Basic*.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict

from rollbook.console.picking import Ticks
from rollbook.engine.needs import Need, wants
from rollbook.engine.scope import ALL, Choice, Fields, Level, Rule, Scope, Treatment, basic, full, rule_of
from rollbook.oneroster.treatments import METADATA_PREFIX, treatments_of

MOST_RULES = 20
MOST_WHY = 500
PARTS = ("orgs", "courses", "classes")
SCOPE_TOGGLES = ("unenrolled", "elsewhere", "demographics", "resources", "guardians")


@dataclass(frozen=True)
class Draft:
    """`number` is the rule of the stack that is looked at; days are `YYYY-MM-DD` or empty. `version` is the grant's when the draft was begun,
    0 for an app that is being added.
    """

    level: Level
    scopes: tuple[Scope, ...]
    deleted: bool = False
    full_guardians: bool = False
    full_deleted: bool = True
    fields: Fields = ()
    number: int = 0
    starts_on: str = ""
    ends_on: str = ""
    why: str = ""
    enabled: bool = False
    version: int = 0

    @property
    def scope(self) -> Scope:
        return self.scopes[self.number]

    @property
    def rule(self) -> Rule:
        """What would be saved."""
        if self.level is Level.FULL:
            return full(guardians=self.full_guardians, deleted=self.full_deleted, fields=self.fields)
        if self.level is Level.NONE:
            return Rule(fields=self.fields)
        return basic(*self.scopes, deleted=self.deleted, fields=self.fields)

    def text(self) -> str:
        """The draft as the form carries it."""
        stacked = basic(*self.scopes, deleted=self.deleted, fields=self.fields).as_json()
        beside = {name: getattr(self, name) for name in BESIDE}
        told = beside | {"level": str(self.level), "rule": stacked}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    def with_scope(self, scope: Scope) -> "Draft":
        scopes = list(self.scopes)
        scopes[self.number] = scope
        return replace(self, scopes=tuple(scopes))


BESIDE = ("full_guardians", "full_deleted", "number", "starts_on", "ends_on", "why", "enabled", "version")


def first_draft(needs: Sequence[Need]) -> Draft:
    """What adding an app begins with: Basic, no organization yet, and of demographics and resources what the app says it needs."""
    return Draft(Level.BASIC, (fresh_scope(needs),))


def fresh_scope(needs: Sequence[Need]) -> Scope:
    return Scope(courses=ALL, demographics=wants(needs, "demographics"), resources=wants(needs, "resources"))


def draft_of(rule: Rule, needs: Sequence[Need], **beside: Any) -> Draft:
    """The draft that would save this rule."""
    is_full = rule.level is Level.FULL
    return Draft(
        rule.level,
        rule.scopes if rule.level is Level.BASIC and rule.scopes else (fresh_scope(needs),),
        deleted=rule.deleted and not is_full,
        full_guardians=is_full and any(scope.guardians for scope in rule.scopes),
        full_deleted=rule.deleted if is_full else True,
        fields=rule.fields,
        **beside,
    )


def carried(text: str) -> Draft:
    """The draft that a form carried. Raises BadRule, ValueError, TypeError or KeyError where nobody's form could have."""
    stored = json.loads(text)
    rule = rule_of(stored["rule"])
    beside = {name: type(getattr(EMPTY, name))(stored[name]) for name in BESIDE}
    draft = Draft(Level(stored["level"]), rule.scopes, rule.deleted, fields=rule.fields, **beside)
    if not 0 <= draft.number < len(draft.scopes):
        raise ValueError(draft.number)
    return draft


EMPTY = Draft(Level.BASIC, (Scope(),))


# --- What each page adds ----------------------------------------------------------------------------------------------------------------


def with_type(draft: Draft, typed: QueryDict) -> Draft:
    """The page of the type: the level, and the name, the way and the toggles of the rule looked at."""
    draft = replace(
        draft,
        level=Level(typed.get("level", "")) if typed.get("level") in list(Level) else draft.level,
        deleted="deleted" in typed,
        full_guardians="full_guardians" in typed,
        full_deleted="full_deleted" in typed,
    )
    by_class = typed.get("way") == "classes"
    toggles: dict[str, Any] = {name: name in typed for name in SCOPE_TOGGLES}
    scope = replace(
        draft.scope,
        name=_typed(typed, "rule_name")[:100],
        classes=(draft.scope.classes or ()) if by_class else None,
        **toggles,
    )
    return draft.with_scope(scope)


def with_choice(draft: Draft, part: str, ticks: Ticks, queries: tuple[Any, ...], is_all: bool) -> Draft:
    """The page of the organizations, the courses or the classes."""
    if part == "classes":
        return draft.with_scope(replace(draft.scope, classes=tuple(sorted(ticks.ids))))
    choice = ALL if is_all else Choice(False, tuple(sorted(ticks.ids)), tuple(sorted(ticks.below)), queries)
    if part == "orgs":
        return draft.with_scope(replace(draft.scope, orgs=choice))
    return draft.with_scope(replace(draft.scope, courses=choice))


def ticks_of(scope: Scope, part: str) -> Ticks:
    if part == "classes":
        return Ticks(frozenset(scope.classes or ()))
    choice: Choice = getattr(scope, part)
    return Ticks(frozenset(choice.ids), frozenset(choice.below))


def with_fields(draft: Draft, typed: QueryDict) -> Draft:
    """The page of the fields: `field-users.email` = a treatment; what is shared is not kept."""
    shown = {name.removeprefix("field-"): typed[name] for name in typed if name.startswith("field-")}
    shown |= _further_metadata(typed)
    kept = [one for one in draft.fields if f"{one[0]}.{one[1]}" not in shown]
    for name, treatment in shown.items():
        collection, _, field = name.partition(".")
        if treatment != Treatment.SHARE and treatment in treatments_of(collection, field):
            kept.append((collection, field, Treatment(treatment)))
    return replace(draft, fields=tuple(sorted(kept)))


def _further_metadata(typed: QueryDict) -> dict[str, str]:
    """Metadata fields that were named by hand: `own-users` the name, `owns-users` the treatment."""
    named = {name.removeprefix("own-"): _typed(typed, name) for name in typed if name.startswith("own-")}
    return {
        f"{collection}.{METADATA_PREFIX}{field[:200]}": typed.get(f"owns-{collection}", "")
        for collection, field in named.items()
        if field
    }


def with_end(draft: Draft, typed: QueryDict) -> Draft:
    """The page before saving: the days, the reason, and whether it is enabled at once. What is no day stays as it was typed."""
    return replace(
        draft,
        starts_on=_typed(typed, "starts_on")[:20],
        ends_on=_typed(typed, "ends_on")[:20],
        why=_typed(typed, "why")[:MOST_WHY],
        enabled="enabled" in typed,
    )


def _typed(typed: QueryDict, name: str) -> str:
    return str(typed.get(name, "")).strip().replace("\0", "")


def days_of(draft: Draft) -> tuple[str | None, str | None]:
    """The first and the last day as they were typed; None for no bound."""
    return draft.starts_on or None, draft.ends_on or None


def with_one_more_rule(draft: Draft, needs: Sequence[Need]) -> Draft:
    if len(draft.scopes) >= MOST_RULES:
        return draft
    return replace(draft, scopes=(*draft.scopes, fresh_scope(needs)), number=len(draft.scopes))


def without_rule(draft: Draft, number: int) -> Draft:
    """One rule less, while another is left."""
    if len(draft.scopes) < 2 or not 0 <= number < len(draft.scopes):
        return draft
    scopes = draft.scopes[:number] + draft.scopes[number + 1 :]
    return replace(draft, scopes=scopes, number=0)


def at_rule(draft: Draft, number: int) -> Draft:
    return replace(draft, number=number) if 0 <= number < len(draft.scopes) else draft
