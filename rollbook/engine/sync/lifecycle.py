"""What becomes of a directory's record whose source record is gone, or is not wanted any more: it waits, or it is archived."""

from datetime import date

from rollbook.engine.sync.draft import Draft, is_gone, words
from rollbook.engine.sync.links import KEPT, Link
from rollbook.engine.sync.operations import (
    ARCHIVE,
    GROUPS,
    LEAVERS,
    MEMBERS,
    MISS,
    SITES,
    UNLINK,
    Operation,
)
from rollbook.engine.sync.roster import MARKED, MISSING
from rollbook.engine.sync.target import Record

STAYS, WAITS, GOES = "stays", "waits", "goes"


def fate(draft: Draft, kind: str, link: Link, why: str, days: int) -> str:
    """What becomes of a record that is gone: WAITS as long as too few whole reads and days have passed. `why` is MISSING or MARKED."""
    if why == MARKED:
        return GOES
    if not draft.certified(*SEEN_WHOLE[kind]):
        return STAYS
    since = link.missing_since or draft.world.today
    reads = link.missing_reads + 1
    passed = (date.fromisoformat(draft.world.today) - date.fromisoformat(since)).days
    return GOES if reads >= draft.policy.grace.reads and passed >= days else WAITS


SEEN_WHOLE = {SITES: ("orgs",), MEMBERS: ("users",), GROUPS: ("classes",)}
"""The collections that have to be whole before a missing record grows older."""


def missed(kind: str, source_id: str, link: Link) -> Operation:
    return Operation(0, MISS, kind, source_id, link.target, reason=MISSING, group=_group(kind, link.target))


def unlinked(kind: str, source_id: str, link: Link, reason: str) -> Operation:
    return Operation(0, UNLINK, kind, source_id, link.target, reason=reason, group=_group(kind, link.target))


def archiving(kind: str, source_id: str, record: Record, reason: str, bundle: str = LEAVERS) -> Operation:
    """`before` has the state, of members their roles too; `at` are the sites it had."""
    before = {"state": record.state} | ({"roles": words(record.fields, "roles")} if kind == MEMBERS else {})
    return Operation(
        0,
        ARCHIVE,
        kind,
        source_id,
        record.id,
        before=before,
        reason=reason,
        at=sites_of(record),
        group=_group(kind, record.id),
        bundle=bundle,
        version=record.version,
    )


def _group(kind: str, handle: str) -> str:
    return handle if kind == GROUPS else ""


def sites_of(record: Record) -> tuple[str, ...]:
    """The sites at which it would be missed."""
    if record.kind == SITES:
        return (record.id,)
    site = record.fields.get("site", "")
    return (site,) if isinstance(site, str) and site else words(record.fields, "sites")


def may_go(draft: Draft, kind: str, source_id: str, record: Record | None) -> bool:
    """Whether a sync may archive that record at all. What keeps it is said."""
    if record is None:
        draft.say(kind, source_id, "target-gone")
        return False
    if is_gone(record):
        return False
    if draft.state_by_hand(kind, record.id) == KEPT:
        draft.say(kind, source_id, "kept-by-hand")
        return False
    if not record.managed:
        draft.say(kind, source_id, "not-owned")
        return False
    if record.id in draft.world.claimed.get(kind, ()):
        draft.say(kind, source_id, "rostered-elsewhere")
        return False
    return True
