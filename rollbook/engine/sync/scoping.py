"""A run about some people, classes or schools only: what belongs to them, and what of a plan is left of it."""

from rollbook.engine.sync.draft import Draft, Scope
from rollbook.engine.sync.operations import GROUPS, MEMBERS, REMOVALS, SITES, Operation


def scope_of(draft: Draft) -> Scope | None:
    """What a focus reaches: a person with their classes, and those whom they teach; a class with its people; a school with both."""
    focus, roster = draft.world.focus, draft.world.roster
    if focus is None:
        return None
    scope = Scope(set(focus.people), set(), set(focus.classes), set(focus.classes), set(focus.schools))
    for person in roster.people.values():
        if not focus.schools.isdisjoint(post.org for post in person.posts):
            scope.people.add(person.source_id)
    for one in roster.classes.values():
        if one.school in focus.schools:
            scope.whole.add(one.source_id)
    some = list(roster.all_enrollments())
    scope.whole |= {one.taught_class for one in some if one.person in focus.people and one.role == "teacher"}
    scope.pupils = {one.person for one in some if one.taught_class in scope.whole}
    scope.classes |= scope.whole | {one.taught_class for one in some if one.person in scope.people}
    _add_parents(draft, scope)
    return scope


def _add_parents(draft: Draft, scope: Scope) -> None:
    """The schools that have to be there first."""
    roster = draft.world.roster
    people = [roster.people[one] for one in scope.people | scope.pupils if one in roster.people]
    scope.parents = {post.org for person in people for post in person.posts}
    scope.parents |= {roster.classes[one].school for one in scope.classes if one in roster.classes}


def in_scope(draft: Draft, operation: Operation) -> bool:
    """Whether an operation on a site, a member or a group is meant. Of those who only belong to what is meant nothing is taken away."""
    scope, source_id = draft.scope, operation.source_id
    if scope is None:
        return True
    if operation.kind == SITES:
        return source_id in scope.schools | scope.parents
    if operation.kind == MEMBERS:
        return (
            not source_id
            or source_id in scope.people
            or (source_id in scope.pupils and operation.action not in REMOVALS and not operation.at)
        )
    if operation.kind == GROUPS:
        return source_id in scope.classes
    return True


def is_person_meant(draft: Draft, source_id: str) -> bool:
    return draft.scope is None or source_id in draft.scope.people or source_id in draft.scope.pupils


def is_meant(draft: Draft, kind: str, source_id: str) -> bool:
    """Whether something that is said of a record belongs in the plan."""
    scope = draft.scope
    if scope is None or kind not in (SITES, MEMBERS, GROUPS):
        return True
    meant = {
        SITES: scope.schools | scope.parents,
        MEMBERS: scope.people | scope.pupils,
        GROUPS: scope.classes,
    }
    return source_id in meant[kind]
