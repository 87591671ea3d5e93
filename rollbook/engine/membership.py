"""Membership: what people are at the orgs, by roles.csv, or by users.csv in 1.1, and what they are in classes."""

from rollbook.engine.findings import Findings
from rollbook.engine.offenders import sound, tell_each, tell_shared
from rollbook.engine.sql import words
from rollbook.engine.stage import Staged, Staging

TEACHING = ("teacher", "administrator")
LEARNING = "student"


def judge_membership(staging: Staging, findings: Findings) -> None:
    """Judges where the files are complete; in files of changes nobody knows which roles go on."""
    users, roles = staging.tables.get("users"), staging.tables.get("roles")
    if roles and roles.rows and roles.mode == "bulk":
        _judge_primaries(staging, roles, findings)
        if users and users.rows and users.mode == "bulk" and roles.complete:
            _judge_without_role(staging, users, roles, findings)
    enrollments = staging.tables.get("enrollments")
    if enrollments and enrollments.rows and (people := _people(users, roles)):
        _judge_roles_in_class(staging, enrollments, people, findings)


def _judge_primaries(staging: Staging, roles: Staged, findings: Findings) -> None:
    """Of the roles of one person at one org exactly one is primary; dates may give one after the other."""
    odd = (
        f'SELECT hash("userSourcedId", "orgSourcedId") AS h FROM {roles.records} GROUP BY h'
        " HAVING count_if(\"roleType\" = 'primary') <> 1"
    )
    if not staging.number(f"SELECT count(*) FROM ({odd})"):
        return
    begin, end = (
        ('"beginDate"' if roles.has("beginDate") else "''"),
        ('"endDate"' if roles.has("endDate") else "''"),
    )
    staging.run(
        f'CREATE OR REPLACE TEMP TABLE several AS SELECT rowid AS r, "userSourcedId" AS person, "orgSourcedId" AS org,'
        f" \"roleType\" = 'primary' AS is_primary, {begin} AS begins, coalesce(nullif({end}, ''), '9999-12-31') AS ends"
        f' FROM {roles.records} WHERE hash("userSourcedId", "orgSourcedId") IN ({odd}) AND {sound(roles)}'
    )
    at_once = (
        "SELECT DISTINCT a.r, a.person, a.org, 'Several are. ' AS said FROM several a JOIN several b USING (person, org)"
        " WHERE a.is_primary AND b.is_primary AND a.r <> b.r AND a.begins < b.ends AND b.begins < a.ends"
    )
    none = (
        "SELECT r, person, org, 'None is. ' AS said FROM several"
        " QUALIFY count_if(is_primary) OVER (PARTITION BY person, org) = 0"
    )
    tell_shared(
        staging,
        roles,
        findings,
        "primary-roles",
        "roleType",
        f"SELECT r, person || ' at ' || org AS value, said FROM ({at_once} UNION ALL {none})",
        "are concerned",
    )


def _judge_without_role(staging: Staging, users: Staged, roles: Staged, findings: Findings) -> None:
    """A role that another connection gives is one."""
    alone = (
        f"SELECT rowid AS r, \"sourcedId\" AS value, '' AS said FROM {users.records}"
        f' WHERE hash("sourcedId") NOT IN (SELECT hash("userSourcedId") FROM {roles.records}) AND {sound(users)}'
    )
    others = staging.neighbours.roles_in("users", alone)
    offenders = f"SELECT * FROM ({alone}) WHERE value NOT IN (SELECT source_id FROM ({others}))"
    tell_each(staging, users, findings, "user-without-role", "sourcedId", offenders)


def _people(users: Staged | None, roles: Staged | None) -> str:
    """SQL: the hash h of each person and whether they are a student, or anything else; empty where the package does not say."""
    if roles and roles.rows and roles.mode == "bulk":
        source, person = roles, '"userSourcedId"'
    elif users and users.rows and users.mode == "bulk" and users.has("role"):
        source, person = users, '"sourcedId"'
    else:
        return ""
    return f"SELECT hash({person}) AS h, \"role\" = '{LEARNING}' AS learns FROM {source.records} WHERE {source.not_deleted}"


def _judge_roles_in_class(staging: Staging, enrollments: Staged, people: str, findings: Findings) -> None:
    """Students who teach see what they should not; others who are enrolled as students take seats and are graded."""
    students = f"SELECT h FROM ({people}) WHERE learns"
    others = f"SELECT h FROM ({people}) WHERE NOT learns"
    person = 'hash("userSourcedId")'
    teaches = f'"role" IN {words(TEACHING)} AND {person} IN ({students}) AND {person} NOT IN ({others})'
    learns = f"\"role\" = '{LEARNING}' AND {person} IN ({others}) AND {person} NOT IN ({students})"
    for which, said in ((teaches, "This person is a student. "), (learns, "This person is no student. ")):
        tell_each(
            staging,
            enrollments,
            findings,
            "enrollment-role",
            "role",
            f"SELECT rowid AS r, \"role\" AS value, '{said}' AS said FROM {enrollments.records}"
            f" WHERE {which} AND {sound(enrollments)}",
        )
