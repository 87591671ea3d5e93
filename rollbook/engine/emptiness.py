"""Files without records: believed only where nothing is stored that they would delete."""

from pathlib import Path

from rollbook.engine.findings import Findings
from rollbook.engine.sql import literal
from rollbook.engine.stage import Staged, Staging


def judge_emptiness(staging: Staging, accepted: Path | None, findings: Findings) -> None:
    """A bulk file without records where records are stored is in error, and treated as if it were not there."""
    for staged in list(staging.tables.values()):
        if staged.rows or staged.broken:
            continue
        if staged.mode == "bulk" and living(staging, staged, accepted):
            findings.add("file-empty", staged.file, 1)
            del staging.tables[staged.name]
        else:
            findings.add("file-empty-accepted", staged.file, 1)
            if ("file-empty-accepted", staged.file) in findings.raised():
                del staging.tables[staged.name]


def living(staging: Staging, staged: Staged, accepted: Path | None) -> int:
    """How many records of the file's collection are stored and not deleted."""
    parquet = accepted / f"{staged.name}.parquet" if accepted else None
    if parquet is None or not parquet.exists():
        return 0
    return staging.number(
        f"SELECT count(*) FROM read_parquet({literal(str(parquet))}) WHERE status = 'active'"
    )
