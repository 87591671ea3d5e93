"""A district's first publication, put together by DuckDB from the accepted snapshot while the database is still loading the roster.

Only what a full grant sees and what is plain (`plain_texts`): nearly every class, person, enrollment and demographics. All others go the way
of every record (`publishing`), told by `others`. What is seen is what `sights.base_sight` says; a test holds the two together.

PostgreSQL takes these rows in over a connection of their own while another takes in the roster. They are committed before it, and mean nothing
until the publication is switched on with it: where it never is, whoever publishes first clears them away (`clear`).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import duckdb
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from rollbook.engine.accepted import KEYS, parquet_of, payload_columns, scan
from rollbook.oneroster.collections import LOAD_ORDER
from rollbook.oneroster.json_binding import ALWAYS_ALIKE
from rollbook.oneroster.mapping import METADATA_V1P1, ROLES_V1P1, UNKNOWN_ROLE_V1P1
from rollbook.oneroster.vocabularies import SEX_11
from rollbook.store.bulk import is_postgresql
from rollbook.store.finished import literal
from rollbook.store.models.publication import FOREVER, NUMBER_OF
from rollbook.store.plain_texts import RESERVED, UNSAFE, USER_IDS_LIST, Sources, text
from rollbook.store.pouring import ONE_THREAD, Answer, Pour, answering, pour
from rollbook.store.visibility import GUARDIANS

BEGUN = ("enrollments", "users", "demographics", "classes")
"""The collections begun here, the largest first: it is put together while the roster is still being loaded. The others are small."""

MEMORY = "512MB"
MEMORY_OF_THE_LARGE = "750MB"
LARGE = 200 << 20
"""In bytes: the snapshot of a district of a quarter of a million students or more."""

PIECE = 200_000
"""So many records of a collection are put in order at a time, with all that is said of them."""

FIRST = 1
"""The number of a district's first publication."""

COLUMNS = (
    "district_id",
    "collection",
    "position",
    "from_publication",
    "to_publication",
    "record_id",
    "gone",
    "kind",
    "stamp_v1p1",
    "stamp_v1p2",
    "text_v1p1",
    "text_v1p2",
)
"""Those of a served row."""


@dataclass(frozen=True)
class Plain:
    """The plain records `x` of a collection: what they are joined with and which those are, their order when served, what is made of them."""

    joins: str
    order: str
    kind: str
    text_v1p1: str
    text_v1p2: str


@dataclass(frozen=True)
class Beginning:
    """What one connection brought into an empty district, as far as it can be served without asking the database.

    `poured` is how many rows each of the pours had, where they are served already.
    """

    reader: duckdb.DuckDBPyConnection
    pours: list[tuple[str, Pour]]
    first: Answer | None = None
    poured: list[int] | None = None

    def others(self, collection: str) -> list[int]:
        """The record ids of those seen that are not plain."""
        found = self.reader.execute(
            f"SELECT record_id FROM seen_{collection} WHERE record_id NOT IN (SELECT x.record_id {_source(collection)})"
            " ORDER BY record_id"
        )
        return [row[0] for row in found.fetchall()]


class GivenUp(Exception):
    """The import has failed meanwhile."""


@contextmanager
def beginning(
    cursor: CursorWrapper, district_id: int, prefix: str, accepted: Path, work: Path, *, apart: bool
) -> Iterator[Callable[[], Beginning]]:
    """Reads the folder `accepted`, the snapshot of the only delivery a district has, whose ids are served behind `prefix`.

    It begins at once, in a thread, so that the database can load the roster meanwhile; calling what it gives waits for it. `apart`: what is
    put together is committed there too, over a connection of its own, while the caller has the district locked.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _memory_for(accepted), "threads": 2, "temp_directory": str(work),
    }  # fmt: skip
    with (
        duckdb.connect(config=config) as reader,
        ExitStack() as ends,
        ThreadPoolExecutor(1) as thread,
    ):
        over = Event()
        ends.callback(over.set)
        begun = thread.submit(_begun, reader, district_id, prefix, accepted)
        if apart:
            yield thread.submit(_served_apart, begun, district_id, over).result
        elif is_postgresql(cursor):
            yield thread.submit(_answered_early, begun, ends).result
        else:
            yield begun.result


def _memory_for(accepted: Path) -> str:
    return MEMORY_OF_THE_LARGE if sum(file.stat().st_size for file in accepted.iterdir()) > LARGE else MEMORY


def _begun(reader: duckdb.DuckDBPyConnection, district_id: int, prefix: str, accepted: Path) -> Beginning:
    for statement in (*_delivered(prefix, accepted), *SEEN):
        reader.execute(statement)
    pours = [
        (collection, Pour("store_served", COLUMNS, rows))
        for collection in BEGUN
        for rows in _rows(reader, collection, district_id)
    ]
    reader.execute(ONE_THREAD)
    return Beginning(reader, pours)


def _answered_early(begun: "Future[Beginning]", ends: ExitStack) -> Beginning:
    """The first answer is being given from now on."""
    made = begun.result()
    return replace(made, first=ends.enter_context(answering(made.reader, made.pours[0][1])))


def _served_apart(begun: "Future[Beginning]", district_id: int, over: Event) -> Beginning:
    """All of it is served, in a transaction of its own; given up once `over` is set."""

    def go_on(_: int) -> None:
        if over.is_set():
            raise GivenUp

    made = begun.result()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            clear(cursor, district_id)
            poured = pour(cursor, made.reader, [one for _, one in made.pours], go_on)
    finally:
        connection.close()
    return replace(made, poured=poured)


def clear(cursor: CursorWrapper, district_id: int) -> None:
    """What was put together for a district's first publication that never came. The caller has the district locked."""
    cursor.execute("DELETE FROM store_served WHERE district_id = %s", [district_id])


def _rows(reader: duckdb.DuckDBPyConnection, collection: str, district_id: int) -> list[str]:
    """SQL of the served rows of the plain records, in one piece or, where they are many, in several; columns as in `COLUMNS`."""
    [(most,)] = reader.execute(f'SELECT count(*) FROM "{collection}"').fetchall()
    order = PLAIN[collection].order
    if most <= PIECE:
        return [rows(collection, district_id, _source(collection), f"row_number() OVER (ORDER BY {order})")]
    place = f"place_{collection}"
    reader.execute(
        f"""CREATE TABLE {place} AS SELECT record_id, row_number() OVER () AS position FROM (
            SELECT x.record_id {_source(collection)} ORDER BY {order})"""
    )
    [(count,)] = reader.execute(f"SELECT count(*) FROM {place}").fetchall()
    return [
        rows(collection, district_id, _source(collection, _piece(collection, first)), "x.position")
        + " ORDER BY x.position"
        for first in range(1, max(count, 1) + 1, PIECE)
    ]


def _piece(collection: str, first: int) -> str:
    """SQL of so many records from the position `first` on."""
    return (
        f'(SELECT one.*, place.position FROM "{collection}" one JOIN place_{collection} place ON place.record_id = one.record_id'
        f" WHERE place.position BETWEEN {first} AND {first + PIECE - 1})"
    )


def rows(collection: str, district_id: int, source: str, position: str) -> str:
    """SQL of the served rows of plain records in a first publication; columns as in `COLUMNS`."""
    plain = PLAIN[collection]
    return (
        f"SELECT {district_id}, {NUMBER_OF[collection]}, {position}, {FIRST}, {FOREVER}, x.record_id,"
        f" false, {plain.kind}, {FIRST}, {FIRST}, {plain.text_v1p1}, {plain.text_v1p2} {source}"
    )


def _source(collection: str, records: str = "") -> str:
    """SQL: the plain ones among `records`, all of the collection if none are named."""
    return f"FROM {records or collection} x {PLAIN[collection].joins}"


# --- What was delivered, and what of it is seen ---------------------------------------------------------------------------------------------


def _delivered(prefix: str, accepted: Path) -> Iterator[str]:
    """A view of each collection: its columns and the id served."""
    for collection in LOAD_ORDER:
        file = parquet_of(accepted, collection)
        nothing = ", ".join(f'NULL AS "{column}"' for column in (*KEYS, *payload_columns(collection)))
        source = f"SELECT * FROM {scan(file)}" if file else f"SELECT {nothing} WHERE false"
        yield f"CREATE VIEW {collection} AS SELECT *, {literal(prefix)} || source_id AS id FROM ({source}) WHERE status = 'active'"
    yield f"CREATE MACRO served(ids) AS {literal(prefix)} || replace(ids, ',', {literal(',' + prefix)})"


def _reserved(text_: str) -> str:
    return f"regexp_matches({text_}, {literal(RESERVED)})"


SEEN = (
    f"CREATE TABLE seen_orgs AS SELECT record_id, source_id, id, {_reserved('id')} AS reserved FROM orgs",
    f'CREATE TABLE seen_sessions AS SELECT source_id, id, {_reserved("id")} AS reserved FROM "academicSessions"',
    f"CREATE TABLE seen_courses AS SELECT source_id, id, {_reserved('id')} AS reserved FROM courses",
    f"""CREATE TABLE seen_classes AS SELECT k.record_id, k.source_id, k.id, {_reserved("k.id")} AS reserved,
            c.id AS course_id, c.reserved AS course_reserved,
            o.record_id AS school, o.id AS school_id, o.reserved AS school_reserved
        FROM classes k JOIN seen_courses c ON c.source_id = k."courseSourcedId" JOIN seen_orgs o ON o.source_id = k."schoolSourcedId\"""",
    f"CREATE TABLE active_users AS SELECT record_id, source_id, id, {_reserved('id')} AS reserved FROM users",
    """CREATE VIEW seen_enrollments AS SELECT e.record_id, e."userSourcedId" FROM enrollments e
        SEMI JOIN seen_classes k ON k.source_id = e."classSourcedId" SEMI JOIN active_users u ON u.source_id = e."userSourcedId\"""",
    f"""CREATE TABLE seen_users AS SELECT u.* FROM active_users u SEMI JOIN (
            SELECT "userSourcedId" AS person FROM roles WHERE role NOT IN ({", ".join(map(literal, GUARDIANS))})
            UNION ALL SELECT "userSourcedId" FROM seen_enrollments) ON person = u.source_id""",
    "CREATE VIEW seen_demographics AS SELECT d.record_id FROM demographics d SEMI JOIN seen_users u ON u.source_id = d.source_id",
    f"CREATE TABLE seen_resources AS SELECT record_id, source_id, id, {_reserved('id')} AS reserved FROM resources",
    *(
        f"""CREATE TABLE given_{collection} AS SELECT given, string_agg(id, ',' ORDER BY first) AS ids, bool_or(reserved) AS reserved FROM (
            SELECT l."{owner}" AS given, r.id, r.reserved, min(l.record_id) AS first FROM "{links}" l
            JOIN seen_resources r ON r.source_id = l."resourceSourcedId" GROUP BY ALL) GROUP BY given"""
        for collection, links, owner in (
            ("classes", "classResources", "classSourcedId"),
            ("users", "userResources", "userSourcedId"),
        )
    ),
    # Who has one role only, and that for good.
    """CREATE TABLE settled AS SELECT r.person, r.role, r.kind, o.id AS org FROM (
            SELECT "userSourcedId" AS person, any_value(role) AS role, any_value("roleType") AS kind, any_value("orgSourcedId") AS org
            FROM roles GROUP BY ALL
            HAVING count(*) = 1 AND count("beginDate") = 0 AND count("endDate") = 0 AND count("userProfileSourcedId") = 0) r
        JOIN seen_orgs o ON o.source_id = r.org AND NOT o.reserved""",
    # Who names as agent somebody who is seen for themselves.
    """CREATE TABLE wards AS SELECT DISTINCT person FROM (
            SELECT source_id AS person, unnest(string_split("agentSourcedIds", ',')) AS agent FROM users WHERE "agentSourcedIds" IS NOT NULL)
        SEMI JOIN seen_users s ON s.source_id = agent""",
)
"""What a full grant sees, as `sights.base_sight` says, by collection, and what is asked of people's roles and agents."""


# --- What is plain, and what is made of it -----------------------------------------------------------------------------------------------------


def _columns(collection: str) -> dict[str, str]:
    return {column: f'x."{column}"' for column in payload_columns(collection)}


def _is_safe(collection: str) -> str:
    """SQL: no value of the record needs an escape."""
    values = ", ".join(sql for column, sql in _columns(collection).items() if column != "metadata")
    return (
        f"NOT regexp_matches(concat_ws('', {values}), {literal(UNSAFE)}) AND NOT coalesce(regexp_matches(x.metadata,"
        f" {literal(UNSAFE.replace(chr(92) + chr(34), ''))}), false)"
    )


def _classes() -> Plain:
    sources = _columns("classes") | {
        "sourcedId": "x.id",
        "courseSourcedId": "k.course_id",
        "schoolSourcedId": "k.school_id",
        "termSourcedIds": 'served(x."termSourcedIds")',
        "resources": "g.ids",
    }
    joins = f"""JOIN seen_classes k ON k.record_id = x.record_id
        LEFT JOIN given_classes g ON g.given = x.source_id
        WHERE NOT (k.reserved OR k.course_reserved OR k.school_reserved OR coalesce(g.reserved, false)) AND {_is_safe("classes")}
        AND list_has_all((SELECT list(source_id) FROM seen_sessions WHERE NOT reserved), string_split(x."termSourcedIds", ','))"""
    return _plain("classes", joins, "x.record_id", "''", sources, sources)


def _users() -> Plain:
    both = {name: sql for name, sql in _columns("users").items() if name != "agentSourcedIds"} | {
        "sourcedId": "u.id",
        "primaryOrgSourcedId": "o.id",
        "resources": "g.ids",
    }
    words = " ".join(f"WHEN {literal(word)} THEN {literal(old)}" for word, old in ROLES_V1P1.items())
    kind = f"CASE r.role {words} ELSE {literal(UNKNOWN_ROLE_V1P1)} END"
    own = "substr(x.metadata, 2, length(x.metadata) - 2)"
    shown = ", ".join(f"""'"{name}":"' || x."{column}" || '"'""" for name, column in METADATA_V1P1.items())
    metadata = f"""'{{' || nullif(concat_ws(',', {shown}, {own}), '') || '}}'"""
    clash = " OR ".join(f"""contains(x.metadata, '"{name}":')""" for name in METADATA_V1P1)
    joins = f"""JOIN seen_users u ON u.record_id = x.record_id JOIN settled r ON r.person = x.source_id
        LEFT JOIN seen_orgs o ON o.source_id = x."primaryOrgSourcedId" LEFT JOIN given_users g ON g.given = x.source_id
        WHERE NOT (u.reserved OR coalesce(g.reserved, false) OR coalesce(o.reserved, false)) AND {_is_safe("users")}
        AND NOT coalesce({clash}, false)
        AND (x."userIds" IS NULL OR regexp_full_match(x."userIds", {literal(USER_IDS_LIST)}))
        AND x.source_id NOT IN (SELECT person FROM wards) AND x.source_id NOT IN (SELECT "userSourcedId" FROM "userProfiles")"""
    role = {"roleType": "r.kind", "role": "r.role", "orgSourcedId": "r.org"}
    return _plain(
        "users",
        joins,
        'lower(x."familyName"), lower(x."givenName"), x.record_id',
        kind,
        both | {"role": kind, "orgSourcedIds": "r.org", "metadata": metadata},
        {**both, "roles": role},
    )


def _enrollments() -> Plain:
    sources = _columns("enrollments") | {
        "sourcedId": "x.id",
        "userSourcedId": "u.id",
        "classSourcedId": "k.id",
        # A school out of sight is told as the class's own, which is always in sight.
        "schoolSourcedId": "coalesce(s.id, k.school_id)",
    }
    values = """concat_ws('', x.id, x.role, x."beginDate", x."endDate")"""
    joins = f"""JOIN seen_classes k ON k.source_id = x."classSourcedId"
        JOIN active_users u ON u.source_id = x."userSourcedId" LEFT JOIN seen_orgs s ON s.source_id = x."schoolSourcedId"
        WHERE x.metadata IS NULL AND NOT (k.reserved OR u.reserved OR coalesce(s.reserved, k.school_reserved)) AND NOT {_reserved(values)}"""
    return _plain("enrollments", joins, "k.school, k.record_id, x.record_id", "x.role", sources, sources)


def _demographics() -> Plain:
    sources = _columns("demographics") | {"sourcedId": "x.id"}
    words = ", ".join(map(literal, SEX_11.words))
    joins = f"""JOIN seen_users u ON u.source_id = x.source_id
        WHERE NOT u.reserved AND {_is_safe("demographics")}"""
    sex = {"sex": f"CASE WHEN x.sex IN ({words}) THEN x.sex END"}
    return _plain("demographics", joins, "x.record_id", "''", sources | sex, sources)


def _plain(
    collection: str, joins: str, order: str, kind: str, sources_v1p1: Sources, sources_v1p2: Sources
) -> Plain:
    text_v1p1 = text("1.1", collection, sources_v1p1)
    text_v1p2 = f"nullif({text('1.2', collection, sources_v1p2)}, {text_v1p1})"
    return Plain(joins, order, kind, text_v1p1, "NULL" if collection in ALWAYS_ALIKE else text_v1p2)


PLAIN = {
    "classes": _classes(),
    "users": _users(),
    "enrollments": _enrollments(),
    "demographics": _demographics(),
}
