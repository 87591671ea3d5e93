"""Operations: what a sync's plan consists of, in the order they are applied, and what a target answers to each.

The actions of a target are those of `FOR_TARGETS`; the others change only what we remember (links and overrides), and go in the plan
all the same, so that nothing is written that was not shown.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

SITES, MEMBERS, GROUPS, MEMBERSHIPS = "sites", "members", "groups", "memberships"
KINDS = (SITES, MEMBERS, GROUPS, MEMBERSHIPS)
"""In the order of creation; read backwards, that of removal."""

COLLECTION_OF = {SITES: "orgs", MEMBERS: "users", GROUPS: "classes", MEMBERSHIPS: "enrollments"}

Value = str | bool | tuple[str, ...]
Fields = Mapping[str, Value]
"""Values of a record by field; empty text, or an empty tuple, is nothing."""

FIELDS: dict[str, tuple[str, ...]] = {
    SITES: ("name", "identifier"),
    MEMBERS: (
        "given_name",
        "family_name",
        "email",
        "username",
        "identifier",
        "grade",
        "roles",
        "sites",
    ),
    GROUPS: ("title", "form", "site", "code", "subject", "grades", "begins", "ends", "central"),
    MEMBERSHIPS: ("group", "member", "role", "primary", "begins", "ends"),
}
"""Every field of every kind. `roles` and `sites` of members and `grades` of groups are tuples, `primary` and `central` bools, all else text.
"""

STATE = "state"
"""What `after` holds besides for a member that is created: pending, inactive or active."""

REFERENCES: dict[str, tuple[str, ...]] = {
    SITES: (),
    MEMBERS: ("sites",),
    GROUPS: ("site",),
    MEMBERSHIPS: ("group", "member"),
}
"""The fields whose values are handles."""

CLASS, GROUP = "class", "group"
"""The forms of a group."""

PENDING, INACTIVE, ACTIVE, SUSPENDED, ARCHIVED, PURGED = (
    "pending",
    "inactive",
    "active",
    "suspended",
    "archived",
    "purged",
)
GONE_STATES = frozenset({ARCHIVED, PURGED})

CREATE, LINK, UPDATE, ARCHIVE, RESTORE, PURGE = "create", "link", "update", "archive", "restore", "purge"
FOR_TARGETS = frozenset({CREATE, LINK, UPDATE, ARCHIVE, RESTORE, PURGE})
RELINK, MISS, FIND, NOTE, UNLINK, RELEASE = "relink", "miss", "find", "note", "unlink", "release"
REMOVALS = frozenset({ARCHIVE, PURGE})

LEAVERS, UNOWNED = "leavers", "unowned"
"""The bundles of removals that are ticked apart in a first preview: what the source said was there and is gone, and what it never had."""

DONE, NOOP, RETRY, REJECT, CONFLICT = "done", "noop", "retry", "reject", "conflict"
STATUSES = (DONE, NOOP, RETRY, REJECT, CONFLICT)

NEW = "+"
"""What the handle of a record begins with that this plan creates; a target's own ids never do."""


def new_handle(source_id: str) -> str:
    """The handle of what a source record becomes, while it has no id of the target's."""
    return NEW + source_id


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `target` is a handle: an id of the target's, or NEW and the sourcedId of a record that is created before it.

    `before` and `after` hold the fields of `changed` (of a created record, all). `base` is what the source says of the record, mapped:
    what its link remembers once this is done. `at` are the sites at which it takes something away. `group` is the group it is about; of
    a member who is archived the groups they are in, a line each. `bundle` is LEAVERS or UNOWNED for a removal. `version` is the version
    of the target's record that was seen; empty where there is none. `id` is the idempotency key: the run and the number; a planner
    leaves it empty.
    """

    number: int
    action: str
    kind: str
    source_id: str
    target: str
    before: Fields = field(default_factory=dict)
    after: Fields = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    reason: str = ""
    base: Fields = field(default_factory=dict)
    at: tuple[str, ...] = ()
    group: str = ""
    bundle: str = ""
    version: str = ""
    line: int = 0
    id: str = ""

    @property
    def removes(self) -> bool:
        """Whether it takes anything away: a record, or a member from a site."""
        return self.action in REMOVALS or bool(self.at)

    @property
    def digest(self) -> int:
        """A number of 128 bits that says what it does, and not where it stands in the plan."""
        told = [
            self.action,
            self.kind,
            self.source_id,
            self.target,
            self.before,
            self.after,
            self.changed,
            self.base,
        ]
        text = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
        return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest())

    def numbered(self, number: int) -> "Operation":
        """The same with another number. Written out, for a plan may have a million."""
        return Operation(
            number,
            self.action,
            self.kind,
            self.source_id,
            self.target,
            self.before,
            self.after,
            self.changed,
            self.reason,
            self.base,
            self.at,
            self.group,
            self.bundle,
            self.version,
            self.line,
            self.id,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a target says of one operation.

    `done`, `noop` (it was so already), `retry` (not now; `wait` in seconds), `reject` (never, for the reason `code`), or `conflict` (the
    record is not the one the plan saw). `target` is the id of the record, `version` its version now, `words` a sentence that names nobody.
    """

    operation: str
    status: str
    target: str = ""
    version: str = ""
    code: str = ""
    words: str = ""
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """A match or a conflict that only a person may decide. `candidates` are target ids; `others` the sourcedIds it is about besides."""

    kind: str
    source_id: str
    code: str
    candidates: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    field: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Why a record of the source does not become one of the directory, or not as it says. `code` is of `remarks.CODES`."""

    kind: str
    source_id: str
    code: str
    field: str = ""
    line: int = 0


def fields_json(fields: Fields) -> str:
    """Fields as text, ordered by name."""
    return orjson.dumps(dict(fields), option=orjson.OPT_SORT_KEYS).decode()


def fields_of(text: str) -> dict[str, Value]:
    """The same read again."""
    found: dict[str, Any] = orjson.loads(text) if text else {}
    if "[" not in text:
        return found
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
