"""A SCIM server as a target: people are Users, groups Groups, memberships who is in a Group. There are no sites and no roles in a group.

A sourcedId is an externalId; who is archived is not `active`. A group is archived only where the server offers our extension. A resource is
read, changed and replaced whole on the condition that it is still the one that was read (RFC 7644 §3.5.1, §3.14).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import groupby

import httpx2

from rollbook.connectors.contract import CannotFetch, Secrets, Settings
from rollbook.connectors.scim import shapes
from rollbook.connectors.scim.wire import Answer, Raw, Wire, place
from rollbook.engine.sync.memory import (
    NOT_SUPPORTED,
    STALE,
    UNKNOWN_RECORD,
    UNKNOWN_REFERENCE,
    VALUE_TAKEN,
)
from rollbook.engine.sync.operations import (
    ACTIVE,
    ARCHIVE,
    ARCHIVED,
    CONFLICT,
    CREATE,
    DONE,
    GROUPS,
    LINK,
    MEMBERS,
    MEMBERSHIPS,
    NOOP,
    REJECT,
    RESTORE,
    RETRY,
    UPDATE,
    Operation,
    Outcome,
    Value,
)
from rollbook.engine.sync.target import EVERYTHING, Capabilities, Record, Scope
from rollbook.oneroster.folding import fold

COLLECTIONS = {MEMBERS: "Users", GROUPS: "Groups"}
ACTIONS = frozenset({CREATE, LINK, UPDATE, ARCHIVE, RESTORE})
NOT_TAKEN = "not-taken"
BETWEEN = "|"
"""Stands between the group and the user in the id of a membership."""

TRIES = 3
"""How often a group is read anew that somebody else wrote meanwhile."""


class ScimTarget:
    """The users and groups of one server. It keeps in mind which externalIds there are, so it is for one run."""

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wire = Wire(settings, secrets, transport, sleep)
        self._people: set[str] = set()

    def capabilities(self) -> Capabilities:
        users = tuple(one for one in shapes.USER_FIELDS if self._has_numbers or one != "identifier")
        unable = frozenset() if self._keeps_groups else frozenset({(ARCHIVE, GROUPS), (RESTORE, GROUPS)})
        return Capabilities(
            kinds=frozenset({MEMBERS, GROUPS, MEMBERSHIPS}),
            actions=ACTIONS,
            fields={MEMBERS: users, GROUPS: shapes.GROUP_FIELDS, MEMBERSHIPS: ("group", "member")},
            unique=("username",),
            blankable=frozenset({"email", "username"}),
            batch=100,
            unable=unable,
        )

    # --- What the server offers -----------------------------------------------------------------------------------------------------

    @cached_property
    def _extensions(self) -> frozenset[str]:
        """The extensions of its resource types; none where it does not tell them."""
        answer = self._wire.ask("/ResourceTypes")
        kinds = answer.body.get("Resources") or [] if answer.is_well else []
        return frozenset(
            shapes.text(one, "schema") for kind in kinds for one in shapes.told(kind, "schemaExtensions", [])
        )

    @property
    def _has_numbers(self) -> bool:
        return shapes.ENTERPRISE in self._extensions

    @property
    def _keeps_groups(self) -> bool:
        return shapes.KEEPING in self._extensions

    # --- Reading --------------------------------------------------------------------------------------------------------------------

    def scan(self, kind: str, scope: Scope = EVERYTHING) -> Iterator[Record]:
        if kind == MEMBERSHIPS:
            return self._memberships(scope)
        if kind not in COLLECTIONS:
            return iter(())
        if scope.ids and not scope.values:
            return self.verify(kind, scope.ids)
        found = (self._record(kind, raw) for raw in self._wire.every(f"/{COLLECTIONS[kind]}"))
        return found if scope.is_everything else (one for one in found if _is_meant(one, scope))

    def _memberships(self, scope: Scope) -> Iterator[Record]:
        groups = {shapes.text(raw, "id"): raw for raw in self._wire.every("/Groups")}
        for group in sorted(groups):
            managed = bool(shapes.key_of(groups[group]))
            for member in shapes.people_in(groups[group]):
                if scope.is_everything or group in scope.ids or member in scope.ids:
                    yield _membership(group, member, managed)

    def verify(self, kind: str, ids: Sequence[str]) -> Iterator[Record]:
        if kind == MEMBERSHIPS:
            yield from self._verified_memberships(ids)
            return
        for one in ids:
            answer = self._wire.ask(place(COLLECTIONS[kind], one))
            if answer.is_well:
                yield self._record(kind, answer.body)
            elif answer.status != 404:
                raise CannotFetch(f"The SCIM server cannot be read: {answer.words}.")

    def _verified_memberships(self, ids: Sequence[str]) -> Iterator[Record]:
        wanted = set(ids)
        for group in sorted({one.partition(BETWEEN)[0] for one in ids}):
            answer = self._wire.ask(place("Groups", group))
            managed = bool(shapes.key_of(answer.body))
            for member in shapes.people_in(answer.body) if answer.is_well else ():
                if f"{group}{BETWEEN}{member}" in wanted:
                    yield _membership(group, member, managed)

    def _record(self, kind: str, raw: Raw) -> Record:
        key, number = shapes.key_of(raw), shapes.text(raw, "id")
        fields, state = self._read(kind, raw)
        if kind == MEMBERS:
            self._people.add(number)
        return Record(kind, number, state, fields, key, bool(key), shapes.version_of(fields, state, key))

    def _read(self, kind: str, raw: Raw) -> tuple[dict[str, Value], str]:
        if kind == MEMBERS:
            return shapes.member_fields(raw, self._has_numbers), shapes.member_state(raw)
        return shapes.group_fields(raw), shapes.group_state(raw)

    # --- Writing --------------------------------------------------------------------------------------------------------------------

    def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Raises ServerRefuses: nothing can be done then."""
        outcomes: list[Outcome] = []
        for group, found in groupby(operations, key=_group_of):
            some = list(found)
            outcomes += self._apply_in(group, some) if group else [self._apply(one) for one in some]
        return outcomes

    def _apply(self, operation: Operation) -> Outcome:
        kind, action = operation.kind, operation.action
        if kind not in COLLECTIONS or action not in ACTIONS or (action, kind) in self.capabilities().unable:
            return _reject(operation, NOT_SUPPORTED, f"{action} of {kind} is not done by this server.")
        return self._create(operation) if action == CREATE else self._change(operation)

    def _create(self, operation: Operation) -> Outcome:
        kind = operation.kind
        if same := self._same(operation):
            return _answered(operation, NOOP, same)
        if kind == MEMBERS:
            body = shapes.new_user(operation.source_id, operation.after, self._has_numbers)
        else:
            body = shapes.new_group(operation.source_id, operation.after)
        answer = self._wire.send("POST", f"/{COLLECTIONS[kind]}", body)
        if not answer.is_well:
            return self._trouble(operation, answer)
        made = self._record(kind, answer.body)
        self._made[kind].setdefault(operation.source_id, []).append(made.id)
        return _answered(operation, DONE, made)

    @cached_property
    def _made(self) -> dict[str, dict[str, list[str]]]:
        """{kind: {externalId: ids}}, as it was before the first was created, and what was created since."""
        found: dict[str, dict[str, list[str]]] = {MEMBERS: {}, GROUPS: {}}
        for kind, by_key in found.items():
            for record in self.scan(kind):
                if record.key:
                    by_key.setdefault(record.key, []).append(record.id)
        return found

    def _same(self, operation: Operation) -> Record | None:
        """What this operation made before, when its answer was lost."""
        kept = self.capabilities().fields[operation.kind]
        wanted = {name: operation.after[name] for name in kept if name in operation.after}
        for record in self.verify(operation.kind, self._made[operation.kind].get(operation.source_id, [])):
            if record.state != ARCHIVED and {name: record.fields[name] for name in wanted} == wanted:
                return record
        return None

    def _change(self, operation: Operation) -> Outcome:
        kind = operation.kind
        answer = self._wire.send("GET", place(COLLECTIONS[kind], operation.target))
        if not answer.is_well:
            return self._trouble(operation, answer)
        raw, record = answer.body, self._record(kind, answer.body)
        fields, state = self._wanted(operation, record)
        key = operation.source_id if operation.action == LINK and not record.key else record.key
        if (fields, state, key) == (record.fields, record.state, record.key):
            return _answered(operation, NOOP, record)
        if operation.version and operation.version != record.version:
            return _stale(operation, record)
        new = {name: value for name, value in fields.items() if value != record.fields[name]}
        body = self._replaced(kind, raw, new, state if state != record.state else "")
        body = shapes.with_key(body, key) if key != record.key else body
        answer = self._wire.send("PUT", place(COLLECTIONS[kind], operation.target), body, shapes.etag_of(raw))
        if answer.status == 412:
            return _stale(operation, record)
        return (
            _answered(operation, DONE, self._record(kind, answer.body))
            if answer.is_well
            else self._trouble(operation, answer)
        )

    def _wanted(self, operation: Operation, record: Record) -> tuple[dict[str, Value], str]:
        if operation.action == ARCHIVE:
            return dict(record.fields), ARCHIVED
        told = operation.changed or tuple(operation.after)
        new = {
            name: operation.after[name] for name in told if name in record.fields and name in operation.after
        }
        return {**record.fields, **new}, ACTIVE if operation.action == RESTORE else record.state

    def _replaced(self, kind: str, raw: Raw, new: dict[str, Value], state: str) -> Raw:
        if kind == MEMBERS:
            body = shapes.with_member_fields(raw, new)
            return shapes.with_member_state(body, state) if state else body
        body = shapes.with_group_fields(raw, new)
        return shapes.with_group_state(body, state) if state else body

    # --- Who is in a group ----------------------------------------------------------------------------------------------------------

    def _apply_in(self, group: str, operations: list[Operation]) -> list[Outcome]:
        """All of one group at once: it is read, changed and replaced. Who wrote it meanwhile is heard, and it is begun anew."""
        for _ in range(TRIES):
            answer = self._wire.send("GET", place("Groups", group))
            if not answer.is_well:
                return [self._trouble(one, answer, UNKNOWN_REFERENCE) for one in operations]
            raw, people = answer.body, shapes.people_in(answer.body)
            before = list(people)
            outcomes = [self._moved(one, group, people) for one in operations]
            if people == before:
                return outcomes
            body = shapes.with_people(raw, people)
            answer = self._wire.send("PUT", place("Groups", group), body, shapes.etag_of(raw))
            if answer.is_well:
                return outcomes
            if answer.status != 412:
                return [self._trouble(one, answer) for one in operations]
        return [
            Outcome(one.id, RETRY, words="Somebody else is writing this group.", wait=1.0)
            for one in operations
        ]

    def _moved(self, operation: Operation, group: str, people: list[str]) -> Outcome:
        """One person into the list, or out of it."""
        member = _member_of(operation)
        named = Outcome(operation.id, DONE, f"{group}{BETWEEN}{member}", _IN)
        if operation.action == ARCHIVE:
            if member not in people:
                return Outcome(operation.id, NOOP, named.target, _IN)
            people.remove(member)
            return named
        if operation.action not in (CREATE, RESTORE):
            return _reject(operation, NOT_SUPPORTED, "A membership has nothing that could change.")
        if member in people:
            return Outcome(operation.id, NOOP, named.target, _IN)
        if not self._is_there(member):
            return _reject(operation, UNKNOWN_REFERENCE, "member: there is no user of this id.")
        people.append(member)
        return named

    def _is_there(self, member: str) -> bool:
        return bool(member) and (member in self._people or any(True for _ in self.verify(MEMBERS, [member])))

    def _trouble(self, operation: Operation, answer: Answer, unknown: str = UNKNOWN_RECORD) -> Outcome:
        """What an answer that is not well means for one operation."""
        if answer.passing:
            return Outcome(operation.id, RETRY, operation.target, words=answer.words, wait=answer.wait)
        if answer.status == 404:
            return _reject(operation, unknown, "The server does not have it.")
        taken = answer.status == 409 or answer.scim_type == "uniqueness"
        return _reject(
            operation, VALUE_TAKEN if taken else NOT_TAKEN, f"{answer.words[:1].upper()}{answer.words[1:]}."
        )


_IN = "in"
"""The version of a membership: it is, or it is not."""


def _group_of(operation: Operation) -> str:
    """The group of an operation on a membership, else nothing."""
    if operation.kind != MEMBERSHIPS:
        return ""
    told = operation.after.get("group") or operation.before.get("group")
    return str(told or operation.target.partition(BETWEEN)[0])


def _member_of(operation: Operation) -> str:
    told = operation.after.get("member") or operation.before.get("member")
    return str(told or operation.target.partition(BETWEEN)[2])


def _membership(group: str, member: str, managed: bool) -> Record:
    fields: dict[str, Value] = {"group": group, "member": member}
    return Record(MEMBERSHIPS, f"{group}{BETWEEN}{member}", ACTIVE, fields, "", managed, _IN)


def _is_meant(record: Record, scope: Scope) -> bool:
    return record.id in scope.ids or any(
        fold(str(record.fields.get(name, ""))) in set(map(fold, values)) - {""}
        for name, values in scope.values.items()
    )


def _answered(operation: Operation, status: str, record: Record) -> Outcome:
    return Outcome(operation.id, status, record.id, record.version)


def _stale(operation: Operation, record: Record) -> Outcome:
    words = "The record has changed since the plan was made."
    return Outcome(operation.id, CONFLICT, record.id, record.version, STALE, words)


def _reject(operation: Operation, code: str, words: str) -> Outcome:
    return Outcome(operation.id, REJECT, operation.target, code=code, words=words)


def tested(settings: Settings, secrets: Secrets) -> list[str]:
    """What is found at the server, a line each. Raises CannotFetch."""
    target = ScimTarget(settings, secrets)
    can = target.capabilities()
    counts = {kind: sum(1 for _ in target.scan(kind)) for kind in COLLECTIONS}
    found = [f"The server answers: {counts[MEMBERS]} users, {counts[GROUPS]} groups."]
    found.append(f"Of a user it keeps {', '.join(can.fields[MEMBERS])}.")
    if can.unable:
        found.append("Groups stay when their class is gone: the server cannot archive them.")
    return found
