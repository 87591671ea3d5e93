"""What was read, written as a package: files of the version that was read, by the CSV binding, a record at a time."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rollbook.connectors.oneroster_rest.certificate import ABSENT
from rollbook.connectors.oneroster_rest.spool import Row, Spool
from rollbook.oneroster.csv_binding import Supply, into_folder, write_package
from rollbook.oneroster.csv_rows import LINKS, link_id
from rollbook.oneroster.mapping import roles_of_v1p1_user
from rollbook.oneroster.spec import Field
from rollbook.oneroster.tables import BINDINGS

MOST_EXTENSIONS = 200
"""So many different names of metadata get a column, the first in order of the alphabet."""

NEUTRAL = {"date": "1970-01-01", "year": "1970", "boolean": "false"}
"""What a record to be deleted says where its file demands a value it came without."""

INSIDE_USERS = ("roles", "userProfiles")


def write(folder: Path, version: str, spool: Spool, modes: Mapping[str, str], now: str, system: str) -> None:
    """Writes the collections of `modes`: bulk, delta, or absent, which get no file. `now` is the moment of records that came without one."""
    writing = Writing(version, spool, modes, now)
    folder.mkdir(parents=True, exist_ok=True)
    write_package(into_folder(folder), version, writing.supplies(), (system, ""))


class Writing:
    """A package being written from a spool."""

    def __init__(self, version: str, spool: Spool, modes: Mapping[str, str], now: str) -> None:
        self._binding = BINDINGS[version]
        self._spool = spool
        self._modes = {name: mode for name, mode in modes.items() if mode != ABSENT}
        self._now = now
        read = set(self._modes)
        self._parents: dict[str, dict[str, str]] = {
            one: self._parents_told(one) for one in ("orgs", "academicSessions") if one in read
        }
        self._org_types = (
            {row["sourcedId"]: row.get("type", "") for row in spool.rows("orgs")} if "orgs" in read else {}
        )

    def supplies(self) -> dict[str, Supply]:
        found = {collection: self._supply(collection) for collection in self._modes}
        if "users" in found and self._binding.version == "1.2":
            mode = self._modes["users"]
            found |= {inside: Supply(self._inside_users(inside), mode) for inside in INSIDE_USERS}
        if self._knows_resources():
            found |= {
                table: Supply(self._links(owner, table), self._modes[owner])
                for owner, table in LINKS.items()
                if owner in found and table in self._binding
            }
        return found

    def _knows_resources(self) -> bool:
        """Whether resources were read: else nothing is said of who has them, and nobody loses one."""
        return "resources" in self._modes and any(self._spool.counts("resources"))

    def _supply(self, collection: str) -> Supply:
        return Supply(self._rows(collection), self._modes[collection], self._extensions(collection))

    def _extensions(self, collection: str) -> tuple[str, ...]:
        names: set[str] = set()
        for row in self._spool.rows(collection):
            names.update(row.get("metadata") or ())
        return tuple(sorted(names)[:MOST_EXTENSIONS])

    def _rows(self, collection: str) -> Iterator[Row]:
        parents = self._parents.get(collection, {})
        district = self._only_district() if collection == "courses" else None
        for row in self._spool.rows(collection):
            if parents and "parentSourcedId" not in row and row["sourcedId"] in parents:
                row["parentSourcedId"] = parents[row["sourcedId"]]
            if district:
                row.setdefault("orgSourcedId", district)
            yield self._dated(collection, row)

    def _inside_users(self, table: str) -> Iterator[Row]:
        for user in self._spool.rows("users"):
            rows = user.get(table) or []
            if table == "roles" and not rows and user.get("role"):
                rows = roles_of_v1p1_user(
                    user["sourcedId"], user["role"], user.get("orgSourcedIds") or (), self._org_types
                )
            for row in rows:
                yield self._dated(table, {**row, "dateLastModified": user.get("dateLastModified")})

    def _links(self, owner: str, table: str) -> Iterator[Row]:
        """A row for each resource a record names. REST gives these rows no id: it follows from both ends."""
        [column] = [field.name for field in self._binding.table(table).fields if field.target == owner]
        for record in self._spool.rows(owner):
            if record.get("status") == "tobedeleted":
                continue
            for resource in dict.fromkeys(record.get("resources") or ()):
                ends = {column: record["sourcedId"], "resourceSourcedId": resource}
                at = record.get("dateLastModified")
                yield self._dated(
                    table,
                    {"sourcedId": link_id(record["sourcedId"], resource), "dateLastModified": at, **ends},
                )

    def _dated(self, table: str, row: Row) -> Row:
        """With the status and moment a delta demands; a deleted record also with whatever else its file demands."""
        row["status"] = row.get("status") or "active"
        row["dateLastModified"] = row.get("dateLastModified") or self._now
        if row["status"] == "tobedeleted":
            for field in self._binding.table(table).fields:
                if field.required == "yes" and row.get(field.name) in (None, ""):
                    row[field.name] = _neutral(field)
        return row

    def _parents_told(self, collection: str) -> dict[str, str]:
        """{child: parent} by what parents say of their children: some servers tell it one way only."""
        return {
            child: row["sourcedId"]
            for row in self._spool.rows(collection)
            for child in row.get("children") or ()
            if child != row["sourcedId"]
        }

    def _only_district(self) -> str | None:
        """The district, if there is exactly one: a package wants an org for each course, and REST does not."""
        districts = [org for org, kind in self._org_types.items() if kind == "district"]
        return districts[0] if len(districts) == 1 else None


def _neutral(field: Field) -> Any:
    if field.vocabulary:
        return field.vocabulary.words[0]
    return NEUTRAL.get(field.type, "-")
