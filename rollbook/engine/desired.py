"""Desired: what a judged package wants of each collection, in canonical form, as views over the staging tables.

A 1.1 package gives users with a primary org, and the roles that follow from their role and orgs (OneRoster 1.2, changes from 1.1).
A column that a file does not have says nothing: the stored value stays. Records that are held back are not desired, nor missed.
"""

from dataclasses import dataclass
from pathlib import Path

from rollbook.engine.accepted import parquet_of, payload_columns, scan
from rollbook.engine.sql import literal, name
from rollbook.engine.stage import Staged, Staging
from rollbook.oneroster.collections import LOAD_ORDER
from rollbook.oneroster.mapping import ADMINISTRATOR_ELSEWHERE, ADMINISTRATORS_V1P2


@dataclass(frozen=True)
class Desired:
    """One collection as a package wants it: the view `d_<collection>` (r, line, source_id, deleted, the fields, metadata).

    `absence_deletes`: stored records that are not desired, and not held, are gone. `stored` is SQL for which stored records the file
    speaks of at all, `held` SQL for the source ids held back, `holding` how many those are.
    """

    collection: str
    file: str
    absence_deletes: bool
    held: str
    holding: int
    stored: str = "true"

    @property
    def view(self) -> str:
        return name(f"d_{self.collection}")


def desired_collections(staging: Staging, accepted: Path | None) -> dict[str, Desired]:
    """The collections the package speaks of, in load order."""
    found = {}
    derives_roles = (
        staging.binding is not None and staging.binding.version == "1.1" and "users" in staging.tables
    )
    for collection in LOAD_ORDER:
        if collection == "roles" and derives_roles:
            found[collection] = _roles_of_users(staging, staging.tables["users"], accepted)
        elif collection in staging.tables:
            found[collection] = _as_delivered(staging, staging.tables[collection], accepted)
    return found


def _as_delivered(staging: Staging, staged: Staged, accepted: Path | None) -> Desired:
    columns = {column: _column(staged, column) for column in payload_columns(staged.name)}
    columns["metadata"] = _metadata(staged)
    source = (
        f'SELECT rowid AS r, {staged.line} AS line, "sourcedId" AS source_id,'
        f" NOT ({staged.not_deleted}) AS deleted, {_list(columns)} FROM {staged.records} WHERE {staged.not_held}"
    )
    _make_view(
        staging,
        staged.name,
        source,
        [column for column, sql in columns.items() if sql is None],
        staged,
        accepted,
    )
    return Desired(
        staged.name,
        staged.file,
        absence_deletes=staged.mode == "bulk" and staged.complete,
        held=held_ids(staged),
        holding=staged.held + staged.broken,
    )


def held_ids(staged: Staged) -> str:
    """SQL: the source ids of records held back, on broken lines too."""
    return (
        f'SELECT "sourcedId" AS source_id FROM {staged.records} WHERE rowid IN (SELECT r FROM {staged.holds})'
        f" UNION FROM {staged.broken_ids}"
    )


def _column(staged: Staged, column: str) -> str | None:
    """SQL for a canonical field; None where the file says nothing of it."""
    if staged.has(column):
        return name(column)
    if column == "primaryOrgSourcedId" and staged.has("orgSourcedIds"):
        return "split_part(\"orgSourcedIds\", ',', 1)"
    return None


def _list(columns: dict[str, str | None]) -> str:
    return ", ".join(f"{sql or 'NULL::VARCHAR'} AS {name(column)}" for column, sql in columns.items())


def _metadata(staged: Staged) -> str | None:
    """SQL for the metadata columns as a JSON object ordered by key; None where the file has none."""
    if not staged.header.metadata:
        return None
    entries = f"list_filter({_entries(staged)}, lambda entry: entry.value <> '')"
    return f"CASE WHEN len({entries}) = 0 THEN '' ELSE to_json(map_from_entries({entries}))::VARCHAR END"


def _entries(staged: Staged) -> str:
    pairs = (
        f"{{'key': {literal(key)}, 'value': {name(f'metadata_{place}')}}}"
        for key, place in sorted(staged.header.metadata.items())
    )
    return f"[{', '.join(pairs)}]"


def _make_view(
    staging: Staging, collection: str, source: str, silent: list[str], staged: Staged, accepted: Path | None
) -> None:
    """Makes the view; where stored values show through columns the file does not have, a table with those filled in."""
    stored = parquet_of(accepted, collection)
    showing = _showing_through(staging, silent, stored)
    merging = stored is not None and "metadata" not in silent and _other_metadata(staging, staged, stored)
    view = name(f"d_{collection}")
    if not showing and not merging:
        empty = ", ".join(f"'' AS {name(column)}" for column in silent)
        replace = f"REPLACE ({empty})" if empty else ""
        staging.run(f"CREATE VIEW {view} AS SELECT * {replace} FROM ({source})")
        return
    assert stored is not None
    filled = [f"coalesce(d.{name(column)}, a.{name(column)}, '') AS {name(column)}" for column in silent]
    if merging:
        filled.append(f"{_merged_metadata(staged)} AS metadata")
    staging.run(
        f"CREATE TABLE {view} AS SELECT d.* REPLACE ({', '.join(filled)}) FROM ({source}) d"
        f" LEFT JOIN {scan(stored)} a ON a.source_id = d.source_id"
    )


def _showing_through(staging: Staging, silent: list[str], stored: Path | None) -> bool:
    """Whether any stored record has a value in a column that the file does not have."""
    if not silent or stored is None:
        return False
    signs = " OR ".join(f"{name(column)} IS NOT NULL" for column in silent)
    return staging.number(f"SELECT count(*) FROM (SELECT 1 FROM {scan(stored)} WHERE {signs} LIMIT 1)") > 0


def _other_metadata(staging: Staging, staged: Staged, stored: Path) -> bool:
    """Whether any stored record has metadata under a name that the file has no column for."""
    known = f"[{', '.join(map(literal, staged.header.metadata))}]"
    other = f"len(list_filter(json_keys(metadata), lambda key: NOT list_contains({known}, key))) > 0"
    return staging.number(f"SELECT count(*) FROM {scan(stored)} WHERE metadata IS NOT NULL AND {other}") > 0


def _merged_metadata(staged: Staged) -> str:
    """SQL: delivered metadata over the stored, for a row `d` joined with a stored row `a`."""
    known = f"[{', '.join(map(literal, staged.header.metadata))}]"
    kept = (
        "list_filter(coalesce(map_entries(a.metadata::JSON::MAP(VARCHAR, VARCHAR)), []),"
        f" lambda entry: NOT list_contains({known}, entry.key))"
    )
    delivered = (
        "CASE WHEN d.metadata = '' THEN [] ELSE map_entries(d.metadata::JSON::MAP(VARCHAR, VARCHAR)) END"
    )
    entries = f"list_sort(list_concat({kept}, {delivered}))"
    return f"CASE WHEN len({entries}) = 0 THEN '' ELSE to_json(map_from_entries({entries}))::VARCHAR END"


def _roles_of_users(staging: Staging, staged: Staged, accepted: Path | None) -> Desired:
    """One primary role for each org of a 1.1 user, as `mapping.roles_of_v1p1_user` says."""
    _make_org_types(staging, accepted)
    sound = f"{staged.records} WHERE {staged.not_held}"
    places = " ".join(
        f"WHEN {literal(kind)} THEN {literal(word)}" for kind, word in ADMINISTRATORS_V1P2.items()
    )
    administrator = f"CASE types.type {places} ELSE {literal(ADMINISTRATOR_ELSEWHERE)} END"
    orgs = "unnest(list_distinct(string_split(\"orgSourcedIds\", ',')))"
    staging.run(
        f"CREATE TABLE derived_roles AS SELECT line, 'role-' || md5(user_id || '|' || org || '|' || role) AS source_id, user_id, org,"
        f" CASE WHEN role = 'administrator' THEN {administrator} ELSE role END AS role"
        f' FROM (SELECT {staged.line} AS line, "sourcedId" AS user_id, "role" AS role, {orgs} AS org FROM {sound}'
        f" AND {staged.not_deleted}) LEFT JOIN org_types types ON types.source_id = org"
    )
    values = {"userSourcedId": "user_id", "roleType": "'primary'", "role": "role", "orgSourcedId": "org"}
    fields = ", ".join(
        f"{values.get(column, chr(39) * 2)} AS {name(column)}" for column in payload_columns("roles")
    )
    staging.run(
        f"CREATE VIEW d_roles AS SELECT rowid AS r, line, source_id, false AS deleted, {fields} FROM derived_roles"
    )
    users = f'SELECT "sourcedId" FROM {sound}'
    whose = (
        f'"userSourcedId" NOT IN ({held_ids(staged)})'
        if staged.mode == "bulk"
        else f'"userSourcedId" IN ({users})'
    )
    complete = staged.complete or staged.mode == "delta"
    return Desired("roles", staged.file, complete, "SELECT NULL::VARCHAR AS source_id WHERE false", 0, whose)


def _make_org_types(staging: Staging, accepted: Path | None) -> None:
    """`org_types` (source_id, type): as delivered, else as stored, else as another connection has it."""
    staged, stored = staging.tables.get("orgs"), parquet_of(accepted, "orgs")
    nothing = "SELECT NULL::VARCHAR AS source_id, NULL::VARCHAR AS type WHERE false"
    delivered = (
        f'SELECT "sourcedId" AS source_id, "type" FROM {staged.records} WHERE {staged.not_held}'
        if staged
        else nothing
    )
    before = f'SELECT source_id, "type" FROM {scan(stored)}' if stored else nothing
    elsewhere = f"SELECT source_id, type FROM ({staging.neighbours.found('orgs')})"
    staging.run(f"CREATE TABLE org_types AS {delivered}")
    for known in (before, elsewhere):
        staging.run(
            f"INSERT INTO org_types FROM ({known}) WHERE source_id NOT IN (SELECT source_id FROM org_types)"
        )
