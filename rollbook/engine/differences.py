"""What differs between what is desired and what was accepted, one collection at a time, found by two digests a record."""

from dataclasses import dataclass
from pathlib import Path

from rollbook.engine.accepted import md5, parquet_of, payload, scan
from rollbook.engine.desired import Desired
from rollbook.engine.sql import name
from rollbook.engine.stage import Staging

PIECE = 1_000_000
"""So many new records are written to a plan at a time."""

ACTIONS = ("create", "update", "restore", "delete")


@dataclass
class Differences:
    """The differences of one collection, in two tables that are in the order in which they are numbered; without any there are no tables.

    `n_<collection>` (source_id, r, id_digest, digest) is what is created, by source id: its row numbers give the record ids, from
    `first_free_id` on. `z_<collection>` (action, reason, r, record_id, id_digest, before_digest, digest) is all else, by record id,
    deletions last. `first` and `first_deletion` are the plan's numbers of the first change and the first deletion. `left_out` counts the
    deletions that are none, because deliveries only add now.
    """

    desired: Desired
    stored: Path | None
    first_free_id: int
    counts: dict[str, int]
    first: int = 0
    first_deletion: int = 0
    left_out: int = 0

    @property
    def collection(self) -> str:
        return self.desired.collection

    @property
    def created(self) -> str:
        return name(f"n_{self.collection}")

    @property
    def others(self) -> str:
        return name(f"z_{self.collection}")

    @property
    def deletions(self) -> int:
        return self.counts.get("delete", 0)

    @property
    def changes(self) -> int:
        """How many there are without the deletions."""
        return sum(self.counts.values()) - self.deletions

    @property
    def creations_sql(self) -> str:
        """SQL of what is created: number, action, reason, r, record_id, id_digest, before_digest, digest."""
        return (
            f"SELECT {self.first} + rowid AS number, 'create' AS action, 'new' AS reason, r, {self.first_free_id} + rowid AS record_id,"
            f" id_digest, NULL::UUID AS before_digest, digest FROM {self.created}"
        )

    @property
    def creation_pieces(self) -> list[tuple[str, int]]:
        """SQL of what is created, a piece at a time, each of which fits into memory with what it refers to; and how many those are."""
        created = self.counts.get("create", 0)
        return [
            (
                f"{self.creations_sql} WHERE rowid BETWEEN {first} AND {first + PIECE - 1}",
                min(PIECE, created - first),
            )
            for first in range(0, created, PIECE)
        ]

    @property
    def others_sql(self) -> str:
        """SQL of all else, in the same shape."""
        before = self.first + self.counts.get("create", 0)
        before_deletions = self.first_deletion - (self.changes - self.counts.get("create", 0))
        return (
            f"SELECT CASE action WHEN 'delete' THEN {before_deletions} ELSE {before} END + rowid AS number, action, reason, r, record_id,"
            f" id_digest, before_digest, digest FROM {self.others}"
        )


def compare(
    staging: Staging, desired: Desired, accepted: Path | None, first_free_id: int, only_adds: bool = False
) -> Differences:
    """Finds the differences of one collection, and counts them; where a delivery `only_adds`, its deletions are counted and left out."""
    stored = parquet_of(accepted, desired.collection)
    found = Differences(desired, stored, first_free_id, {})
    keys = (
        f"SELECT r, source_id, deleted, {md5('source_id')} AS id_digest, {md5(payload(desired.collection))} AS digest"
        f" FROM {desired.view}"
    )
    if stored is None:
        counts = _all_is_new(staging, found, keys)
    else:
        counts = _differ(staging, found, keys, stored, only_adds)
    found.counts = {action: counts[action] for action in ACTIONS if counts.get(action)}
    return found


def _all_is_new(staging: Staging, found: Differences, keys: str) -> dict[str, int]:
    """How many changes there are by action."""
    created = staging.made(
        f"CREATE TABLE {found.created} AS SELECT source_id, r, id_digest, digest FROM ({keys}) WHERE NOT deleted ORDER BY source_id"
    )
    staging.run(
        f"CREATE TABLE {found.others} (action VARCHAR, reason VARCHAR, r BIGINT, record_id BIGINT, id_digest UUID, before_digest UUID,"
        " digest UUID)"
    )
    return {"create": created}


def _differ(staging: Staging, found: Differences, keys: str, stored: Path, only_adds: bool) -> dict[str, int]:
    """How many changes there are by action."""
    table = name(f"x_{found.collection}")
    if not staging.made(f"CREATE TABLE {table} AS {_differences(keys, found.desired, stored)}"):
        return {}
    _spare_the_held(staging, found.desired, table)
    if only_adds:
        found.left_out = staging.number(f"SELECT count(*) FROM {table} WHERE action = 'delete'")
        staging.run(f"DELETE FROM {table} WHERE action = 'delete'")
    created = staging.made(
        f"CREATE TABLE {found.created} AS SELECT d.source_id, x.r, x.id_digest, x.digest FROM {table} x JOIN {found.desired.view} d"
        " ON d.r = x.r WHERE x.action = 'create' ORDER BY d.source_id"
    )
    staging.run(
        f"CREATE TABLE {found.others} AS SELECT action, reason, r, record_id, id_digest, before_digest, digest FROM {table}"
        " WHERE action <> 'create' ORDER BY action = 'delete', record_id"
    )
    staging.run(f"DROP TABLE {table}")
    others = f"SELECT action, count(*) FROM {found.others} GROUP BY 1"
    return {"create": created, **dict(staging.connection.execute(others).fetchall())}


def _differences(keys: str, desired: Desired, stored: Path) -> str:
    """SQL of the differences; `missing` is what is stored and not desired, whose meaning is decided later."""
    join = "FULL" if desired.absence_deletes else "LEFT"
    action = (
        "CASE WHEN d.r IS NULL THEN CASE WHEN a.status = 'active' THEN 'missing' END"
        " WHEN d.deleted THEN CASE WHEN a.status = 'active' THEN 'delete' END"
        " WHEN a.record_id IS NULL THEN 'create'"
        " WHEN a.status <> 'active' THEN 'restore'"
        " WHEN a.digest <> d.digest THEN 'update' END"
    )
    reason = (
        "CASE action WHEN 'missing' THEN 'missing from the file' WHEN 'delete' THEN 'marked tobedeleted'"
        " WHEN 'create' THEN 'new' WHEN 'restore' THEN 'delivered again' ELSE 'changed' END"
    )
    return (
        f"SELECT r, record_id, action, {reason} AS reason, id_digest, before_digest, digest FROM"
        f" (SELECT d.r, a.record_id, {action} AS action, coalesce(d.id_digest, a.id_digest) AS id_digest, a.digest AS before_digest,"
        f" d.digest FROM ({keys}) d {join} JOIN (SELECT record_id, id_digest, digest, status FROM {scan(stored)}"
        f" WHERE {desired.stored}) a ON a.id_digest = d.id_digest) WHERE action IS NOT NULL"
    )


def _spare_the_held(staging: Staging, desired: Desired, table: str) -> None:
    """What is held back is not missing; what is missing is to be deleted."""
    held = f"SELECT {md5('source_id')} FROM ({desired.held})"
    staging.run(f"DELETE FROM {table} WHERE action = 'missing' AND id_digest IN ({held})")
    staging.run(f"UPDATE {table} SET action = 'delete' WHERE action = 'missing'")
