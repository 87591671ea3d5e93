"""Histories: which of many plans touched one record. Plans are files; a thousand small ones are searched in a tenth of a second."""

from collections.abc import Mapping
from pathlib import Path

from rollbook.engine.reading import reader

ITS_ROLES = "collection = 'roles' AND (before->>'userSourcedId' = $id OR after->>'userSourcedId' = $id)"


def plans_touching(plans: Mapping[int, Path], collection: str, source_id: str) -> set[int]:
    """The keys of those plans that change the record, of a person also their roles. A plan that is no longer kept is passed over."""
    kept = {str(path): key for key, path in plans.items() if path.exists()}
    if not kept:
        return set()
    roles = f" OR {ITS_ROLES}" if collection == "users" else ""
    with reader("256MB", 2) as db:
        files = db.execute(
            "SELECT DISTINCT filename FROM read_parquet($plans, filename = true)"
            f" WHERE collection = $collection AND source_id = $id{roles}",
            {"plans": list(kept), "collection": collection, "id": source_id},
        ).fetchall()
    found = (Path(name) for (name,) in files)
    return {kept[str(path)] if str(path) in kept else kept[str(path.parent)] for path in found}
