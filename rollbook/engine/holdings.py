"""Holdings: which files and columns the packages for an app can hold by its rule. What is not among them stands in no package, so that
it cannot be named either. Which records there are is not asked here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rollbook.engine.scope import Level, Rule, Treatment
from rollbook.oneroster.collections import SERVED
from rollbook.oneroster.csv_rows import INSIDE, LINKS, files_of
from rollbook.oneroster.mapping import METADATA_V1P1
from rollbook.oneroster.tables import BINDINGS
from rollbook.oneroster.treatments import METADATA, METADATA_PREFIX

NEVER = frozenset({"password"})
UNFILLED = frozenset({"status", "dateLastModified"})
"""Columns that are blank where a package says all there is."""

PROFILES, OF_PROFILES = "userProfiles", "userProfileSourcedId"


@dataclass(frozen=True)
class Holdings:
    """`columns` are those of each file, in the standard's order. `withheld` names, by file, the extension columns that are kept back:
    `metadata` is all of them.
    """

    columns: Mapping[str, tuple[str, ...]]
    withheld: Mapping[str, frozenset[str]]
    treated: Mapping[str, Mapping[str, Treatment]]

    def has(self, table: str, column: str) -> bool:
        if not column.startswith(METADATA_PREFIX):
            return column in self.columns.get(table, ())
        return table in self.columns and not {METADATA, column} & self.withheld.get(table, frozenset())

    def treatment(self, table: str, column: str) -> Treatment:
        """What becomes of a column that is held."""
        treated = self.treated.get(table, {})
        of_all = treated.get(METADATA) if column.startswith(METADATA_PREFIX) else None
        return treated.get(column) or of_all or Treatment.SHARE


def holdings(rule: Rule, version: str) -> Holdings:
    """What the packages of a version can hold by this rule."""
    omitted = {
        collection: {name for name, treatment in some.items() if treatment is Treatment.OMIT}
        for collection, some in rule.treatments.items()
    }
    tables = _tables(rule, version, omitted)
    columns = {
        table: tuple(
            column
            for column in BINDINGS[version].table(table).columns
            if column not in NEVER | omitted.get(table, set())
            and (column != OF_PROFILES or PROFILES in tables)
        )
        for table in tables
    }
    withheld = {table: _withheld(table, version, omitted.get(table, set())) for table in tables}
    return Holdings(columns, withheld, rule.treatments)


def _tables(rule: Rule, version: str, omitted: Mapping[str, set[str]]) -> list[str]:
    if rule.level is Level.NONE:
        return []
    binding = BINDINGS[version]
    tables = [table for one in SERVED if one in binding for table in files_of(version, one)]
    shut = {PROFILES} & omitted.get("users", set())
    if not any(scope.demographics for scope in rule.scopes):
        shut.add("demographics")
    if not any(scope.resources for scope in rule.scopes):
        shut |= {"resources", *LINKS.values()}
    return [table for table in tables if table not in shut]


def _withheld(table: str, version: str, omitted: set[str]) -> frozenset[str]:
    """1.1 tells some fields of people as metadata, by names of its own."""
    names = {name for name in omitted if name == METADATA or name.startswith(METADATA_PREFIX)}
    if table == "users" and version == "1.1":
        names |= {METADATA_PREFIX + name for name, source in METADATA_V1P1.items() if source in omitted}
    return frozenset(names)


def owner_of(version: str, table: str) -> str:
    """The collection whose records fill a file."""
    owners = [one for one, inside in INSIDE.items() if table in inside and one in BINDINGS[version]]
    return owners[0] if owners else table
