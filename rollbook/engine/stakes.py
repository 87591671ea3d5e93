"""Stakes: what a plan would do to what is stored, counted from the plan and the accepted snapshot, for `safeguards` to judge."""

from pathlib import Path

import duckdb

from rollbook.engine.accepted import parquet_of, scan
from rollbook.engine.plan import PlanSummary
from rollbook.engine.reading import reader
from rollbook.engine.rekey import count_pairs, pairing
from rollbook.engine.safeguards import IDENTIFYING, REKEYED, Stakes
from rollbook.engine.sql import literal, name, words
from rollbook.oneroster.collections import LOAD_ORDER

ADMINISTRATORS = ("siteAdministrator", "districtAdministrator", "systemAdministrator", "principal")


def count_stakes(
    summary: PlanSummary, accepted: Path | None, plan: Path, work: Path, returning: bool = False
) -> Stakes:
    """What the plan in the file `plan` puts at stake; `work` is a folder for what does not fit into memory."""
    counts = summary.counts
    with reader("512MB", 2, work) as db:
        totals = _active(db, accepted)
        values, changed = _identifying(db, accepted, plan) if totals["users"] else ({}, {})
        before, after = _administrators(db, accepted, plan) if totals["roles"] else (0, 0)
    return Stakes(
        counts=counts,
        totals=totals,
        values=values,
        changed=changed,
        pairs=_pairs(counts, plan, work),
        administrators=before,
        administrators_left=after,
        relinked=sum(actions.get("relink", 0) for actions in counts.values()),
        returning=returning,
    )


def _number(db: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(db.execute(query).fetchall()[0][0])


def _active(db: duckdb.DuckDBPyConnection, accepted: Path | None) -> dict[str, int]:
    """How many records are stored and active, by collection."""
    counts = [
        f"SELECT {literal(collection)}, count(*) FROM {scan(stored)} WHERE status = 'active'"
        for collection in LOAD_ORDER
        if (stored := parquet_of(accepted, collection))
    ]
    found = dict(db.execute(" UNION ALL ".join(counts)).fetchall()) if counts else {}
    return {collection: found.get(collection, 0) for collection in LOAD_ORDER}


def _identifying(
    db: duckdb.DuckDBPyConnection, accepted: Path | None, plan: Path
) -> tuple[dict[str, int], dict[str, int]]:
    """By field: how many people have a value, and of how many it changes or vanishes. A first value and another case change nothing."""
    stored = parquet_of(accepted, "users")
    assert stored is not None
    held = ", ".join(f"count({name(column)})" for column in IDENTIFYING)
    values = db.execute(f"SELECT {held} FROM {scan(stored)} WHERE status = 'active'").fetchall()[0]
    differs = ", ".join(
        f"count(*) FILTER (lower(before->>{literal(column)}) <> lower(coalesce(after->>{literal(column)}, '')))"
        for column in IDENTIFYING
    )
    changed = db.execute(
        f"SELECT {differs} FROM {scan(plan)} WHERE collection = 'users' AND action = 'update'"
    ).fetchall()[0]
    return dict(zip(IDENTIFYING, values, strict=True)), dict(zip(IDENTIFYING, changed, strict=True))


def _administrators(db: duckdb.DuckDBPyConnection, accepted: Path | None, plan: Path) -> tuple[int, int]:
    """How many administrators' roles there are, and would be."""
    stored, those = parquet_of(accepted, "roles"), words(ADMINISTRATORS)
    assert stored is not None
    before = _number(db, f"SELECT count(*) FROM {scan(stored)} WHERE status = 'active' AND role IN {those}")
    changes = f"{scan(plan)} WHERE collection = 'roles'"
    lost = _number(
        db,
        f"SELECT count(*) FROM {changes} AND action IN ('update', 'delete') AND before->>'role' IN {those}",
    )
    gained = _number(
        db,
        f"SELECT count(*) FROM {changes} AND action IN ('create', 'update', 'restore') AND after->>'role' IN {those}",
    )
    return before, before - lost + gained


def _pairs(counts: dict[str, dict[str, int]], plan: Path, work: Path) -> dict[str, int]:
    """The re-keyed records by collection; looked for only where one goes and another comes."""
    both = [one for one in REKEYED if {"create", "delete"} <= counts.get(one, {}).keys()]
    if not both:
        return {}
    with pairing(plan, work) as db:
        return count_pairs(db)
