"""Names of the records in a sync's plan: of those that are there, as the directory has them; of those that it makes, as the plan says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from rollbook.engine.sync.operations import GROUPS, MEMBERS, MEMBERSHIPS, NEW, SITES, Fields, Operation, Value
from rollbook.engine.sync.plan_file import OPERATIONS
from rollbook.engine.sync.plan_pages import names_in
from rollbook.flows.sync.targets import DIRECTORY
from rollbook.store.linking import targets_of
from rollbook.store.models import Group, Member, Site, SyncConnection, SyncRun
from rollbook.store.sync_shelf import run_folder

REFERS = {"sites": SITES, "site": SITES, "member": MEMBERS, "group": GROUPS}
"""The fields that hold handles."""

MOST_CALLED = 1_000
"""So many members are looked for by their name; whoever searches for less has to say more."""


@dataclass(frozen=True)
class Names:
    """Names by (kind, handle)."""

    by_handle: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def of(self, operation: Operation) -> str:
        """What the record of an operation is called; empty where nobody knows."""
        if operation.kind != MEMBERSHIPS:
            return self.by_handle.get((operation.kind, operation.target), "") or _called(
                operation.kind, _fields(operation)
            )
        said = _fields(operation)
        pair = (
            self.by_handle.get((kind, str(said.get(name, ""))), str(said.get(name, "")).removeprefix(NEW))
            for name, kind in (("member", MEMBERS), ("group", GROUPS))
        )
        return " · ".join(filter(None, pair))

    def value(self, name: str, value: Value) -> str:
        """A field's value as text, with the names of what it refers to."""
        if isinstance(value, bool):
            return "yes" if value else ""
        several = value if isinstance(value, tuple) else (value,) if value else ()
        if kind := REFERS.get(name):
            several = tuple(self.by_handle.get((kind, one), one.removeprefix(NEW)) for one in several)
        return ", ".join(several)


def names_of(run: SyncRun, operations: Iterable[Operation]) -> Names:
    """The names of these operations' records, and of what they refer to."""
    wanted = _handles(operations)
    found: dict[tuple[str, str], str] = {}
    ids = {kind: {one: one for one in some if not one.startswith(NEW)} for kind, some in wanted.items()}
    for kind, some in wanted.items():
        new = [one.removeprefix(NEW) for one in some if one.startswith(NEW)]
        ids[kind] |= {NEW + one: target for one, target in targets_of(run.connection, kind, new).items()}
    if run.connection.target_kind == DIRECTORY:
        for kind, pairs in ids.items():
            called = _in_directory(run.organization_id, kind, set(pairs.values()))
            found |= {(kind, handle): called[one] for handle, one in pairs.items() if one in called}
    missing = {kind: [one for one in some if (kind, one) not in found] for kind, some in wanted.items()}
    plan = run_folder(run) / OPERATIONS
    if plan.exists() and any(missing.values()):
        found |= {key: _called(key[0], _fields(one)) for key, one in names_in(plan, missing).items()}
    return Names({key: name for key, name in found.items() if name})


def names_by_id(connection: SyncConnection, kind: str, ids: Iterable[str]) -> dict[str, str]:
    """The names of these records of the organization's own directory, by id."""
    return (
        _in_directory(connection.organization_id, kind, set(ids))
        if connection.target_kind == DIRECTORY
        else {}
    )


def of_members_called(run: SyncRun, words: str) -> Sequence[tuple[str, str]]:
    """Members of the directory whose name or address has these words in it, as a narrowing wants them: of whom a plan archives it does not
    say the name.
    """
    if run.connection.target_kind != DIRECTORY:
        return ()
    found = Member.objects.filter(organization=run.organization_id)
    for word in words.split():
        found = found.filter(
            Q(given_name__icontains=word) | Q(family_name__icontains=word) | Q(email__icontains=word)
        )
    return [(MEMBERS, str(one)) for one in found.values_list("id", flat=True)[:MOST_CALLED]]


def _handles(operations: Iterable[Operation]) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = {SITES: set(), MEMBERS: set(), GROUPS: set()}
    for one in operations:
        if one.kind in wanted:
            wanted[one.kind].add(one.target)
        for fields in (one.before, one.after):
            for name, kind in REFERS.items():
                value = fields.get(name, ())
                wanted[kind] |= set(value if isinstance(value, tuple) else (str(value),))
    return {kind: some - {""} for kind, some in wanted.items()}


def _in_directory(organization_id: int, kind: str, ids: set[str]) -> dict[str, str]:
    numbers = [int(one) for one in ids if one.isascii() and one.isdecimal() and len(one) < 19]
    if not numbers:
        return {}
    if kind == MEMBERS:
        people = Member.objects.filter(organization=organization_id, id__in=numbers)
        columns = people.values_list("id", "given_name", "family_name")
        return {str(one): f"{given} {family}".strip() for one, given, family in columns}
    model, column = (Site, "name") if kind == SITES else (Group, "title")
    rows = model._default_manager.filter(organization=organization_id, id__in=numbers).values_list(
        "id", column
    )
    return {str(one): name for one, name in rows}


def _fields(operation: Operation) -> Fields:
    return {**operation.base, **operation.before, **operation.after}


def _called(kind: str, fields: Fields) -> str:
    if kind == MEMBERS:
        return " ".join(filter(None, (str(fields.get("given_name", "")), str(fields.get("family_name", "")))))
    return str(fields.get("name" if kind == SITES else "title", ""))
