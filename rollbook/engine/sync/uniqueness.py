"""Values that no two members may share: who gets one that two want, and in which order, so that each is free before it is taken."""

from collections.abc import Iterator

from rollbook.engine.sync.aims import Aim, operations_of
from rollbook.engine.sync.draft import Draft, text
from rollbook.engine.sync.operations import CREATE, MEMBERS, UPDATE, Case, Operation, Value
from rollbook.oneroster.folding import fold

MAKES_ROOM = "makes-room"


def settle_disputes(draft: Draft, aims: list[Aim]) -> list[Aim]:
    """The aims that are left, without the values that others have: such a value is a Case, and its record keeps what it has.

    Who keeps a value that they have goes before who wants it anew; among these the first in order has it.
    """
    names = unique_fields(draft)
    left = {aim.handle: aim for aim in aims}
    while losers := list(_losers(draft, left, names)) or list(_circles(draft, left, names)):
        for name, aim, holder in losers:
            draft.ask(
                Case(MEMBERS, aim.source_id, "value-taken", _known(holder), _new_too(left, holder), name)
            )
            _lose(left, aim, name)
    return list(left.values())


def unique_fields(draft: Draft) -> tuple[str, ...]:
    kept = draft.fields(MEMBERS)
    return tuple(name for name in draft.world.capabilities.unique if name in kept)


def _losers(draft: Draft, aims: dict[str, Aim], names: tuple[str, ...]) -> Iterator[tuple[str, Aim, str]]:
    """(field, aim, handle of who has it). Each aim is told once a round: what it loses may be another's gain."""
    lost: set[str] = set()
    for name in names:
        holders: dict[str, str] = {}
        for handle, record in draft.world.directory.members.items():
            aim = aims.get(handle)
            if aim is None or name not in aim.after:
                if value := fold(text(record.fields, name)):
                    holders[value] = handle
            elif _is_same(aim, name):
                holders[fold(text(aim.after, name))] = handle
        wanting = [
            (fold(text(aim.after, name)), aim)
            for aim in aims.values()
            if text(aim.after, name) and not _is_same(aim, name)
        ]
        for value, aim in wanting:
            if holders.setdefault(value, aim.handle) != aim.handle and aim.handle not in lost:
                lost.add(aim.handle)
                yield name, aim, holders[value]


def _circles(draft: Draft, aims: dict[str, Aim], names: tuple[str, ...]) -> Iterator[tuple[str, Aim, str]]:
    """Of values that may not be empty even for a moment nobody can exchange theirs: (field, aim, who has its value)."""
    for name in names:
        if name in draft.world.capabilities.blankable:
            continue
        moving = [aim for aim in aims.values() if name in aim.after and aim.record]
        holds = {fold(text(aim.present, name)): aim for aim in moving if text(aim.present, name)}
        for aim in moving:
            holder = holds.get(fold(text(aim.after, name)))
            if holder and holder is not aim and _leads_to(holder, aim, name, holds):
                yield name, aim, holder.handle
                break


def _leads_to(start: Aim, aim: Aim, name: str, holds: dict[str, Aim]) -> bool:
    seen: set[str] = set()
    now: Aim | None = start
    while now and now.handle not in seen:
        if now is aim:
            return True
        seen.add(now.handle)
        now = holds.get(fold(text(now.after, name)))
    return False


def _is_same(aim: Aim, name: str) -> bool:
    """Whether only the case of the letters changes."""
    return aim.record is not None and fold(text(aim.present, name)) == fold(text(aim.after, name)) != ""


def _known(handle: str) -> tuple[str, ...]:
    return () if handle.startswith("+") else (handle,)


def _new_too(aims: dict[str, Aim], handle: str) -> tuple[str, ...]:
    return (aims[handle].source_id,) if handle in aims else ()


def _lose(aims: dict[str, Aim], aim: Aim, name: str) -> None:
    """An update goes on without the field, and the source's value is not remembered as taken over; nobody is created without theirs."""
    if aim.action == CREATE:
        del aims[aim.handle]
        return
    aim.after.pop(name, None)
    aim.before.pop(name, None)
    known = aim.link.base if aim.link else {}
    if name in known:
        aim.base[name] = known[name]
    else:
        aim.base.pop(name, None)


# --- Order ----------------------------------------------------------------------------------------------------------------------------


def ordered(draft: Draft, aims: list[Aim]) -> list[Operation]:
    """The operations of aims whose members exist: each behind those who hold a value that it takes."""
    names = unique_fields(draft)
    moving = [aim for aim in aims if any(name in aim.after for name in names)]
    takes_from = _takes_from(moving, names)
    found: list[Operation] = []
    placed: set[str] = set()
    for aim in aims:
        _place(draft, aim, names, takes_from, placed, found)
    return found


def _takes_from(moving: list[Aim], names: tuple[str, ...]) -> dict[str, list[tuple[str, Aim]]]:
    """{handle: (field, who holds its value now and gives it up)}"""
    holds: dict[tuple[str, str], Aim] = {}
    for aim in moving:
        for name in names:
            if name in aim.after and (value := fold(text(aim.present, name))):
                holds[name, value] = aim
    found: dict[str, list[tuple[str, Aim]]] = {}
    for aim in moving:
        for name in names:
            holder = holds.get((name, fold(text(aim.after, name)))) if text(aim.after, name) else None
            if holder and holder is not aim:
                found.setdefault(aim.handle, []).append((name, holder))
    return found


def _place(
    draft: Draft,
    aim: Aim,
    names: tuple[str, ...],
    takes_from: dict[str, list[tuple[str, Aim]]],
    placed: set[str],
    found: list[Operation],
) -> None:
    """Depth first, without recursion: chains may be long. Who closes a circle has its value emptied before."""
    path, on_path, parked = [aim], {aim.handle}, set[tuple[str, str]]()
    while path:
        now = path[-1]
        if now.handle in placed:
            on_path.discard(path.pop().handle)
            continue
        waits = [
            (name, holder)
            for name, holder in takes_from.get(now.handle, [])
            if holder.handle not in placed and (name, holder.handle) not in parked
        ]
        if not waits:
            on_path.discard(path.pop().handle)
            placed.add(now.handle)
            found += operations_of(draft, now)
            continue
        _, holder = waits[0]
        if holder.handle in on_path:
            moving = [one for one in names if one in holder.after and text(holder.present, one)]
            parked |= {(one, holder.handle) for one in moving}
            found.append(_parking(holder, moving))
        else:
            path.append(holder)
            on_path.add(holder.handle)


def _parking(aim: Aim, names: list[str]) -> Operation:
    """Empties values for a moment. What the record looks like when its own operation comes is written into that.

    A record that is only just being linked has no link yet that would remember anything: then no sourcedId is named.
    """
    before: dict[str, Value] = {name: text(aim.present, name) for name in names}
    version = aim.record.version if aim.record else ""
    aim.before |= dict.fromkeys(names, "")
    aim.moved = True
    return Operation(
        0,
        UPDATE,
        MEMBERS,
        aim.source_id if aim.link else "",
        aim.handle,
        before=before,
        after=dict.fromkeys(names, ""),
        changed=tuple(sorted(names)),
        reason=MAKES_ROOM,
        base=aim.link.base if aim.link else {},
        version=version,
        line=aim.line,
    )
