"""What one record of the source is to be in the directory, and the operations that lead there. The same for sites, members and groups."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rollbook.engine.sync.draft import Draft, is_gone, words
from rollbook.engine.sync.links import ADD, Link
from rollbook.engine.sync.merging import BY_ELEMENT, merged, merged_set
from rollbook.engine.sync.operations import (
    CREATE,
    FIND,
    GROUPS,
    LINK,
    MEMBERS,
    NEW,
    NOTE,
    REFERENCES,
    RELINK,
    RESTORE,
    SITES,
    UPDATE,
    Fields,
    Operation,
    Value,
)
from rollbook.engine.sync.policy import LOCAL
from rollbook.engine.sync.target import Record


@dataclass(slots=True)
class Aim:
    """`action` is CREATE, LINK, RELINK (then `old` is the sourcedId it had), or empty for one that has its link.

    `source` is what the source says, mapped: a field that it lacks is not looked at. `besides` is remembered with it and never written.
    `feeds`: it is one of several records that make one target, and not the first. `waits`: it is there and not wanted, and has grace.
    `moved`: another operation goes before its own. `settle` fills `after`, `base` and `before`.
    """

    kind: str
    source_id: str
    handle: str
    action: str
    source: dict[str, Value]
    record: Record | None = None
    link: Link | None = None
    besides: dict[str, Value] = field(default_factory=dict)
    reason: str = ""
    old: str = ""
    line: int = 0
    staff: bool = False
    feeds: bool = False
    restores: bool = False
    waits: bool = False
    moved: bool = False
    before: dict[str, Value] = field(default_factory=dict)
    after: dict[str, Value] = field(default_factory=dict)
    base: dict[str, Value] = field(default_factory=dict)

    @property
    def present(self) -> Fields:
        return self.record.fields if self.record else {}


def by_target(aims: Iterable[Aim]) -> Iterator[list[Aim]]:
    """The aims of each target, by handle; first that whose record it was made for, so that it is the same one in every plan."""
    found: dict[str, list[Aim]] = {}
    for aim in aims:
        found.setdefault(aim.handle, []).append(aim)
    for handle in sorted(found):
        yield sorted(found.pop(handle), key=_own_first)


def _own_first(aim: Aim) -> tuple[bool, str]:
    return aim.record is None or aim.record.key != aim.source_id, aim.source_id


def resolved(draft: Draft, kind: str, fields: Fields) -> dict[str, Value]:
    """Remembered values with the ids of records that had none when they were remembered."""
    found = dict(fields)
    for name in REFERENCES[kind]:
        value = found.get(name)
        if isinstance(value, tuple):
            found[name] = tuple(_id(draft, one) for one in value)
        elif isinstance(value, str):
            found[name] = _id(draft, value)
    return found


def _id(draft: Draft, handle: str) -> str:
    if not handle.startswith(NEW):
        return handle
    link = draft.link(SITES, handle.removeprefix(NEW))
    return link.target if link else handle


def settle(
    draft: Draft,
    aim: Aim,
    bases: Sequence[Fields] = (),
    says: Sequence[Fields] = (),
    keeps: bool = False,
    frozen: Collection[str] = (),
) -> None:
    """Merges the fields of an aim. `bases` are what all records that make its target said last, `says` what the others of them say.

    `keeps`: nothing is taken out of a set. `frozen` are elements of sets that stay as they are, there or not.
    """
    own = bases[0] if bases else {}
    if bases:
        aim.base = {**own, **aim.source, **aim.besides}
    else:
        aim.base = {**aim.source, **aim.besides} if aim.besides else aim.source
    for name in draft.fields(aim.kind):
        if name not in aim.source:
            continue
        if name in BY_ELEMENT:
            value: Value = _set(draft, aim, name, bases, says, keeps, frozen)
        else:
            value = _one(draft, aim, name, own.get(name) if bases else None)
        if aim.record is None or not same(name, value, aim.present.get(name, _empty(value))):
            aim.after[name] = value
            if aim.record is not None:
                aim.before[name] = aim.present.get(name, _empty(value))


def same(name: str, one: Value, other: Value) -> bool:
    if name in BY_ELEMENT and isinstance(one, tuple) and isinstance(other, tuple):
        return set(one) == set(other)
    return one == other


def _empty(value: Value) -> Value:
    return () if isinstance(value, tuple) else False if isinstance(value, bool) else ""


def _one(draft: Draft, aim: Aim, name: str, base: Value | None) -> Value:
    source, rules = aim.source[name], draft.policy.fields
    if aim.record is None:
        return _empty(source) if rules.of(aim.kind, name) == LOCAL else source
    if set_by_hand := draft.override(aim.kind, aim.handle, name):
        return set_by_hand.value
    present = aim.present.get(name, _empty(source))
    return merged(rules.of(aim.kind, name), base, source, present, f"{aim.kind}.{name}" in rules.clear)


def _set(
    draft: Draft,
    aim: Aim,
    name: str,
    bases: Sequence[Fields],
    says: Sequence[Fields],
    keeps: bool,
    frozen: Collection[str],
) -> tuple[str, ...]:
    said = _all(bases, name)
    says_now = {*words(aim.source, name), *_all(says, name)}
    if bases:
        stays = set(words(bases[0], name)) if keeps else set(words(bases[0], name)) & set(frozen)
        aim.base[name] = ordered(draft, name, stays | set(words(aim.source, name)))
    if aim.record is None:
        return ordered(draft, name, set() if draft.policy.fields.of(aim.kind, name) == LOCAL else says_now)
    present = words(aim.present, name)
    by_hand = draft.override(aim.kind, aim.handle, name)
    if by_hand and by_hand.mode != ADD:
        return ordered(draft, name, _several(by_hand.value))
    found = merged_set(draft.policy.fields.of(aim.kind, name), said, says_now, present, keeps)
    found = (found - set(frozen)) | (set(present) & set(frozen))
    return ordered(draft, name, found | set(_several(by_hand.value) if by_hand else ()))


def _all(several: Iterable[Fields], name: str) -> set[str]:
    return {one for fields in several for one in words(fields, name)}


def _several(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if isinstance(value, str) and value else ()


def ordered(draft: Draft, name: str, values: Iterable[str]) -> tuple[str, ...]:
    """A set as it is written: roles the highest first, all else by code point."""
    if name != "roles":
        return tuple(sorted(values))
    ranks = {role: rank for rank, role in enumerate(draft.world.roles)}
    return tuple(sorted(values, key=lambda role: (ranks.get(role, len(ranks)), role)))


# --- As operations --------------------------------------------------------------------------------------------------------------------


def operations_of(draft: Draft, aim: Aim) -> Iterator[Operation]:
    """What is to be done for an aim that is settled; nothing, where all is so already. Numbers are given later."""
    version = aim.record.version if aim.record and not aim.moved else ""
    if aim.action == CREATE:
        yield _operation(aim, CREATE, aim.after, aim.reason)
        return
    if aim.action == LINK and aim.restores:
        yield _operation(aim, LINK, {}, aim.reason, version=version)
        yield _operation(aim, RESTORE, aim.after, "back")
        return
    if aim.action == LINK:
        yield _operation(aim, LINK, aim.after, aim.reason, version=version)
        return
    if aim.action == RELINK:
        yield from _relinked(aim, version)
        return
    yield from _linked(draft, aim, version)


def _relinked(aim: Aim, version: str) -> Iterator[Operation]:
    """A record that is archived is brought back by an operation of its own: re-linking alone changes no state."""
    changes = {} if aim.restores else aim.after
    relink = _operation(aim, RELINK, changes, "re-keyed", version=version)
    yield _with_before(relink, "source_id", aim.old)
    if aim.restores:
        yield _operation(aim, RESTORE, aim.after, "back", version=version)


def _linked(draft: Draft, aim: Aim, version: str) -> Iterator[Operation]:
    if aim.restores:
        yield _operation(aim, RESTORE, aim.after, "back", version=version)
        return
    if aim.link and not aim.waits and (aim.link.missing_since or aim.link.missing_reads):
        yield Operation(0, FIND, aim.kind, aim.source_id, aim.handle, reason="found", line=aim.line)
    if aim.after:
        yield _operation(aim, UPDATE, aim.after, aim.reason or "changed", version=version)
    elif aim.link and not _is_known(draft, aim):
        yield Operation(
            0, NOTE, aim.kind, aim.source_id, aim.handle, base=aim.base, reason="noted", line=aim.line
        )


def has_work(draft: Draft, aim: Aim) -> bool:
    """Whether a settled aim comes to any operation."""
    return next(operations_of(draft, aim), None) is not None


def _is_known(draft: Draft, aim: Aim) -> bool:
    known = resolved(draft, aim.kind, aim.link.base) if aim.link else {}
    return all(name in known and same(name, value, known[name]) for name, value in aim.base.items()) and len(
        known
    ) == len(aim.base)


def _operation(aim: Aim, action: str, changes: Fields, reason: str, version: str = "") -> Operation:
    changed = tuple(sorted(changes))
    before = {name: aim.before[name] for name in changed if name in aim.before}
    return Operation(
        0,
        action,
        aim.kind,
        aim.source_id,
        aim.handle,
        before=before,
        after=dict(changes),
        changed=changed,
        reason=reason,
        base=aim.base,
        at=_taken_from(aim, before, changes),
        group=aim.handle if aim.kind == GROUPS else "",
        version=version,
        line=aim.line,
    )


def _taken_from(aim: Aim, before: Fields, after: Fields) -> tuple[str, ...]:
    if aim.kind != MEMBERS or "sites" not in before:
        return ()
    return tuple(sorted(set(words(before, "sites")) - set(words(after, "sites"))))


def _with_before(operation: Operation, name: str, value: str) -> Operation:
    return Operation(
        operation.number,
        operation.action,
        operation.kind,
        operation.source_id,
        operation.target,
        before={**operation.before, name: value},
        after=operation.after,
        changed=operation.changed,
        reason=operation.reason,
        base=operation.base,
        at=operation.at,
        group=operation.group,
        version=operation.version,
        line=operation.line,
    )


def archived(aim: Aim) -> bool:
    """Whether its target is archived now."""
    return aim.record is not None and is_gone(aim.record)
