"""Where each field of a directory's record comes from: a roster, a person, both of them, or whoever made the record here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rollbook.engine.sync.links import ADD
from rollbook.engine.sync.operations import FIELDS, NEW, REFERENCES, SITES, Value, fields_of
from rollbook.flows.by_hand import overrides
from rollbook.refusal import Refusal
from rollbook.store.models import Link, Organization, Override, SyncConnection

ROSTER, HAND, BOTH, HERE = "roster", "hand", "both", "here"
"""A roster says so; a person set it; a roster, and a person besides; it was put in here and no roster says anything of it."""


class NoRoster(Refusal):
    """No roster has this record: it was made by hand, and there is nothing to read it from."""


@dataclass(frozen=True)
class Saying:
    """What one roster says of a field: the name of its connection, and the value."""

    connection: str
    value: Value


@dataclass(frozen=True)
class Origin:
    """One field with its value, where that comes from, the override that holds, and what rosters say that differs from the value."""

    field: str
    value: Value
    by: str
    override: Override | None
    rosters: tuple[str, ...]
    differing: tuple[Saying, ...]


def links_of(organization: Organization, kind: str, target: int) -> list[Link]:
    """Which records of which sources a record of the directory is, now."""
    found = Link.objects.filter(
        organization=organization,
        connection__organization=organization,
        connection__target_kind="directory",
        kind=kind,
        target=str(target),
        ended_at=None,
    )
    return list(found.select_related("connection").order_by("connection_id", "source_id"))


def origins(
    organization: Organization, kind: str, target: int, present: Mapping[str, Value], links: Sequence[Link]
) -> list[Origin]:
    """Of every field of a record whose values are `present`."""
    by_hand = {one.field: one for one in overrides(organization, kind, str(target))}
    said = [(link.connection.name, _said(kind, link)) for link in links]
    return [_origin(name, present[name], by_hand.get(name), said) for name in FIELDS[kind] if name in present]


def _origin(
    name: str, value: Value, override: Override | None, said: Sequence[tuple[str, Mapping[str, Value]]]
) -> Origin:
    sayings = [Saying(of, told[name]) for of, told in said if told.get(name) not in (None, "", ())]
    differing = tuple(one for one in sayings if not _within(one.value, value))
    agreeing = tuple(dict.fromkeys(one.connection for one in sayings if one not in differing))
    if override is not None:
        by = BOTH if override.mode == ADD and agreeing else HAND
    elif isinstance(value, tuple) and agreeing:
        of_rosters = {part for one in sayings if isinstance(one.value, tuple) for part in one.value}
        by = ROSTER if set(value) <= of_rosters else BOTH
    else:
        by = ROSTER if agreeing else HERE
    return Origin(name, value, by, override, agreeing, differing)


def _within(said: Value, value: Value) -> bool:
    """Whether the record has what a roster says; of several sites or roles, all that it says."""
    if isinstance(said, tuple) and isinstance(value, tuple):
        return set(said) <= set(value)
    return said == value


def _said(kind: str, link: Link) -> dict[str, Value]:
    """What the source said last, with the ids of records that had none when that was remembered."""
    told = fields_of(link.base)
    for name in REFERENCES[kind]:
        value = told.get(name)
        if isinstance(value, tuple):
            told[name] = tuple(_resolved(link.connection, value))
        elif isinstance(value, str) and value:
            told[name] = next(_resolved(link.connection, (value,)), value)
    return told


def _resolved(connection: SyncConnection, handles: Sequence[str]) -> Iterator[str]:
    for handle in handles:
        if not handle.startswith(NEW):
            yield handle
            continue
        found = Link.objects.filter(
            connection=connection, kind=SITES, source_id=handle.removeprefix(NEW), ended_at=None
        ).first()
        if found is not None:
            yield found.target
