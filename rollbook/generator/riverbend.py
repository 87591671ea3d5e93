"""Riverbend, the demo district: a small, clean OneRoster 1.2 package made by hand, and the same district said in 1.1."""

import csv
from pathlib import Path

from rollbook.oneroster.mapping import role_and_orgs_v1p1
from rollbook.oneroster.tables import V1P1, V1P2

PATH = Path(__file__).parents[1] / "riverbend"
"""The package folder; it can be loaded like any other."""

SYSTEM = ("Riverbend Student Records", "riverbend")

A_DAY_OF_THE_YEAR = "2026-11-20"
"""When all roles of Riverbend hold."""

Tables = dict[str, list[dict[str, str]]]


def rows(version: str = "1.2") -> Tables:
    """Every table of Riverbend by name, every row by column, as text; in 1.1 a user carries the role and the orgs."""
    if version == "1.2":
        return {table.name: read(table.file) for table in V1P2.tables if (PATH / table.file).exists()}
    return in_v1p1(rows("1.2"))


def read(file: str) -> list[dict[str, str]]:
    with (PATH / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def in_v1p1(tables: Tables) -> Tables:
    """The tables a 1.1 package has, with the columns it has; what 1.1 cannot say (profiles, other sexes) is left out."""
    older = {table.name: [dict(row) for row in tables.get(table.name, [])] for table in V1P1.tables}
    for user in older["users"]:
        user |= role_and_orgs(
            user, [role for role in tables["roles"] if role["userSourcedId"] == user["sourcedId"]]
        )
    for person in older["demographics"]:
        if person["sex"] not in ("male", "female"):
            person["sex"] = ""
    return {name: [known(name, row) for row in table] for name, table in older.items() if table}


def role_and_orgs(user: dict[str, str], roles: list[dict[str, str]]) -> dict[str, str]:
    """The one role of a 1.1 user and all orgs, the primary one first."""
    word, orgs = role_and_orgs_v1p1(roles, user["primaryOrgSourcedId"], A_DAY_OF_THE_YEAR)
    return {"role": word, "orgSourcedIds": ",".join(orgs)}


def known(table: str, row: dict[str, str]) -> dict[str, str]:
    columns = V1P1.table(table).columns
    return {name: value for name, value in row.items() if name in columns or name.startswith("metadata.")}
