"""Planning: what is desired compared with what was accepted, and the differences written down as a plan, in the order they are applied.

A plan is Parquet, one row a change: a folder of files that `read_parquet` reads as one, numbered in the column `number`. Beside it goes
the snapshot that will be the accepted one once the plan is applied.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from rollbook.engine.accepted import parquet_of, scan
from rollbook.engine.changes import write_accepted, write_plan
from rollbook.engine.desired import desired_collections
from rollbook.engine.differences import Differences, compare
from rollbook.engine.judgement import Judgement
from rollbook.engine.owners import with_taken_over
from rollbook.engine.sql import literal
from rollbook.engine.stage import Staged, Staging
from rollbook.engine.succession import CHANGES, COMPLETE
from rollbook.engine.telling import Tell, untold
from rollbook.oneroster.collections import LOAD_ORDER


@dataclass(frozen=True)
class PlanSummary:
    """What a plan would do. `counts` is {collection: {action: number}} of what changes, `held` {collection: records held back}.

    `fingerprint` is the same for the same changes, whatever the order of rows in the files. `empty` says that nothing is stored and
    nothing came in. `findings` counts by severity. `left_out` is {collection: deletions left out, because deliveries only add now}, `modes`
    {table: bulk or delta} as `succession.Modes`.
    """

    counts: dict[str, dict[str, int]]
    held: dict[str, int]
    fingerprint: str
    empty: bool
    findings: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        return sum(sum(actions.values()) for actions in self.counts.values())


def make_plan(
    judgement: Judgement,
    accepted: Path | None,
    out: Path,
    first_free_ids: dict[str, int],
    only_adds: bool = False,
    tell: Tell = untold,
) -> PlanSummary:
    """Writes `plan.parquet` and the folder `accepted` into the folder `out`.

    `accepted` is the folder the package was judged against, None where nothing is stored. New records get ids from `first_free_ids` on,
    in the order of their source ids. With `only_adds` nothing is deleted: what would be is counted, and stays in the accepted snapshot too.
    `tell` hears how many rows are compared, and then how many changes are written down.
    """
    assert not judgement.fatal, "what is fatal is not planned"
    staging = judgement.staging
    out.mkdir(parents=True, exist_ok=True)
    differences = {}
    compared, known = 0, sum(staged.rows for staged in staging.tables.values())
    wanted = desired_collections(staging, accepted)
    accepted = with_taken_over(staging, wanted.values(), accepted)
    for collection, desired in wanted.items():
        tell("planning", compared, known)
        differences[collection] = compare(staging, desired, accepted, first_free_ids[collection], only_adds)
        compared += staging.tables[collection].rows if collection in staging.tables else 0
    _number(list(differences.values()))
    write_plan(staging, differences, accepted, out / "plan.parquet", tell)
    write_accepted(staging, differences, accepted, out / "accepted")
    return PlanSummary(
        counts={collection: found.counts for collection, found in differences.items() if found.counts},
        held=_held(differences),
        fingerprint=_fingerprint(staging, differences.values()),
        empty=_nothing(staging, differences, accepted),
        findings=judgement.counts,
        left_out={collection: found.left_out for collection, found in differences.items() if found.left_out},
        modes={staged.name: COMPLETE if _is_whole(staged) else CHANGES for staged in staging.tables.values()},
    )


def _is_whole(staged: Staged) -> bool:
    return staged.mode == "bulk" and staged.complete


def _number(differences: list[Differences]) -> None:
    """Numbers the changes as they are applied: collections in load order, deletions last and backwards."""
    number = 1
    for found in differences:
        found.first = number
        number += found.changes
    for found in reversed(differences):
        found.first_deletion = number
        number += found.deletions


def _fingerprint(staging: Staging, differences: Iterable[Differences]) -> str:
    """One hash of all changes: collection, action, whose, what it said, what it will say. Of many rows at once, in no order."""
    total = hashlib.sha256()
    for found in differences:
        created = found.counts.get("create", 0)
        for number, action, table, before in (
            (created, "'create'", found.created, "''"),
            (sum(found.counts.values()) - created, "action", found.others, "before_digest::VARCHAR"),
        ):
            if not number:
                total.update(NO_CHANGES)
                continue
            change = f"md5_number(concat({literal(found.collection)}, '|', {action}, '|', id_digest, '|', {before}, '|', digest))"
            total.update(str(staging.one(f"SELECT count(*), bit_xor({change}) FROM {table}")).encode())
    return total.hexdigest()


NO_CHANGES = b"(0, None)"
"""What is taken up where a collection has none: as many, and of them nothing."""


def _held(differences: dict[str, Differences]) -> dict[str, int]:
    return {
        collection: found.desired.holding
        for collection, found in differences.items()
        if found.desired.holding
    }


def _nothing(staging: Staging, differences: dict[str, Differences], accepted: Path | None) -> bool:
    if any(
        staging.number(f"SELECT count(*) FROM (FROM {found.desired.view} LIMIT 1)")
        for found in differences.values()
    ):
        return False
    stored = [parquet for collection in LOAD_ORDER if (parquet := parquet_of(accepted, collection))]
    return not any(
        staging.number(f"SELECT count(*) FROM {scan(path)} WHERE status = 'active'") for path in stored
    )
