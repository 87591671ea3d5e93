"""Who leaves the directory: members whose people are gone from the source, and, where the settings name them, those whom it never had."""

from collections.abc import Collection
from dataclasses import dataclass, field

from rollbook.engine.sync.aims import Aim
from rollbook.engine.sync.draft import Draft, is_gone, words
from rollbook.engine.sync.lifecycle import GOES, WAITS, archiving, fate, may_go, missed, unlinked
from rollbook.engine.sync.links import KEPT, Link
from rollbook.engine.sync.operations import MEMBERS, UNOWNED, Operation
from rollbook.engine.sync.roles import Standing, grace_of
from rollbook.engine.sync.target import Record
from rollbook.engine.sync.who import Verdict


@dataclass
class People:
    """What becomes of the people of a source.

    `members` are those whose memberships are looked at: {sourcedId: handle}. Of the handles in `untouched` memberships stay as they are.
    `linked` are handles that some record of the source has. `archived` are members that this plan archives. `not_created` wait for a
    person's import, and `said` are operations on links alone.
    """

    stands: dict[str, Standing] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    aims: list[Aim] = field(default_factory=list)
    members: dict[str, str] = field(default_factory=dict)
    untouched: set[str] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)
    archived: set[str] = field(default_factory=set)
    not_created: list[str] = field(default_factory=list)
    said: list[Operation] = field(default_factory=list)


def leave(draft: Draft, found: People, relinked: Collection[str]) -> None:
    """Members whose records are not there: they wait, or go. `relinked` are sourcedIds whose members have another now."""
    for source_id, link in sorted(draft.world.links.of(MEMBERS).items()):
        if source_id in found.stands or source_id in relinked:
            continue
        shared = link.target in found.linked
        found.linked.add(link.target)
        if not shared:
            found.untouched.add(link.target)
        if why := draft.gone(MEMBERS, source_id):
            _gone(draft, found, source_id, link, why, shared)


def _gone(draft: Draft, found: People, source_id: str, link: Link, why: str, shared: bool) -> None:
    record = draft.record(MEMBERS, link.target)
    what = fate(draft, MEMBERS, link, why, grace_of(draft, record))
    if shared:
        if what == GOES:
            found.said.append(unlinked(MEMBERS, source_id, link, why))
        return
    goes = may_archive(draft, source_id, record)
    if record is None or is_gone(record) or not (goes or not record.managed):
        return
    if what == WAITS:
        found.said.append(missed(MEMBERS, source_id, link))
    elif what == GOES and goes:
        archive(draft, found, archiving(MEMBERS, source_id, record, why))
    elif what == GOES:
        # Another's record, which stays: that it was here too is over, so that this link keeps nobody from archiving it.
        found.said.append(unlinked(MEMBERS, source_id, link, why))


def may_archive(draft: Draft, source_id: str, record: Record | None) -> bool:
    """Whether the settings, and people, let a member go. What keeps them is said."""
    if not draft.policy.people.archive:
        draft.say(MEMBERS, source_id, "archive-off")
        return False
    if record and _is_left_out(draft, record):
        draft.say(MEMBERS, source_id, "administrator-stays")
        return False
    return may_go(draft, MEMBERS, source_id, record)


def _is_left_out(draft: Draft, record: Record) -> bool:
    """Where members go whoever made them, those who administer never do."""
    roles = set(words(record.fields, "roles"))
    return bool(draft.policy.people.archive_unowned and roles & draft.world.administrators)


def archive(draft: Draft, found: People, operation: Operation) -> bool:
    """Whether it will happen."""
    focused = draft.scope is None or operation.source_id in draft.scope.people
    if not draft.remove(operation, focused):
        return False
    found.archived.add(operation.target)
    return True


def leave_unowned(draft: Draft, found: People) -> None:
    """Members whom the source never had, where the settings name their roles. Not one that a Case is about."""
    named = set(draft.policy.people.archive_unowned)
    if not named or not draft.certified("users", "roles") or draft.scope is not None:
        return
    known = {one for case in draft.cases.values() if case.kind == MEMBERS for one in case.candidates}
    known |= found.linked | draft.world.claimed.get(MEMBERS, frozenset())
    for target, record in sorted(draft.world.directory.members.items()):
        roles = set(words(record.fields, "roles"))
        if target in known or is_gone(record) or not roles or not roles <= named:
            continue
        if not _is_left_out(draft, record) and draft.state_by_hand(MEMBERS, target) != KEPT:
            archive(draft, found, archiving(MEMBERS, "", record, "unowned", UNOWNED))
