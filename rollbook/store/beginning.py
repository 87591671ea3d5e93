"""A district's first publication, put together by DuckDB from the accepted snapshot while the database is still loading the roster.

Only what a full grant sees and what is plain (`plain_texts`): nearly every class, person, enrollment and demographics. All others go the way
of every record (`publishing`), told by `others`. What is seen is what `sights.base_sight` says; a test holds the two together.

PostgreSQL takes these rows in over a connection of their own while another takes in the roster. They are committed before it, and mean nothing
until the publication is switched on with it: where it never is, whoever publishes first clears them away (`clear`).
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import duckdb
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from rollbook.engine.accepted import KEYS, PARQUET, parquet_of, payload_columns, scan
from rollbook.oneroster.collections import LOAD_ORDER
from rollbook.oneroster.json_binding import ALWAYS_ALIKE
from rollbook.oneroster.mapping import METADATA_V1P1, ROLES_V1P1, UNKNOWN_ROLE_V1P1
from rollbook.oneroster.vocabularies import SEX_11
from rollbook.store.bulk import is_postgresql
from rollbook.store.finished import literal
from rollbook.store.indexing import indexed_afterwards
from rollbook.store.models.publication import FOREVER, NUMBER_OF
from rollbook.store.plain_texts import RESERVED, UNSAFE, USER_IDS_LIST, Sources, text
from rollbook.store.pouring import ONE_THREAD, Answer, Pour, answering, pour
from rollbook.store.visibility import GUARDIANS

BEGUN = ("enrollments", "users", "demographics", "classes")
"""The collections begun here, the largest first: it is put together while the roster is still being loaded. The others are small."""

MEMORY = "512MB"

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
class Seen:
    """The records `x` of a collection that are seen: what they are joined with, their order when served, which of them are plain, and SQL
    of what is made of these.

    `keys` (SQL by name) are kept with them; by these they are joined with `again` when they are read, where `late` finds more of what is
    made of them. So much less has to be put in order.
    """

    joins: str
    order: str
    plain: str
    kind: str
    sources_v1p1: Sources
    sources_v1p2: Sources
    keys: Mapping[str, str] = field(default_factory=dict)
    again: str = ""
    late: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Beginning:
    """What one connection brought into an empty district, as far as it can be served without asking the database.

    `poured` is how many rows each of the pours had, where they are served already.
    """

    reader: duckdb.DuckDBPyConnection
    pours: list[tuple[str, Pour]]
    first: Answer | None = None
    poured: list[int] | None = None

    @property
    def rows(self) -> int:
        """How many records are seen."""
        counts = " + ".join(f"(SELECT count(*) FROM ready_{collection})" for collection in BEGUN)
        [(rows,)] = self.reader.execute(f"SELECT {counts}").fetchall()
        return int(rows)

    def others(self, collection: str) -> list[int]:
        """The record ids of those seen that are not plain."""
        found = self.reader.execute(
            f"SELECT record_id FROM ready_{collection} WHERE NOT plain ORDER BY record_id"
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
    put together is committed there too, over a connection of its own, while the caller has the district locked. `work` is the run's alone.
    """
    with (
        _own_folder(work) as folder,
        duckdb.connect(
            config={"memory_limit": MEMORY, "threads": 2, "temp_directory": str(folder)}
        ) as reader,
        ExitStack() as ends,
        ThreadPoolExecutor(1) as thread,
    ):
        over = Event()
        ends.callback(over.set)
        begun = thread.submit(_begun, reader, district_id, prefix, accepted, folder)
        if apart:
            yield thread.submit(_served_apart, begun, district_id, over).result
        elif is_postgresql(cursor):
            yield thread.submit(_answered_early, begun, ends).result
        else:
            yield begun.result


@contextmanager
def _own_folder(work: Path) -> Iterator[Path]:
    """An empty folder, gone afterwards, and with it what a process left there that was killed."""
    folder = work / "begun"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _begun(
    reader: duckdb.DuckDBPyConnection, district_id: int, prefix: str, accepted: Path, folder: Path
) -> Beginning:
    """Everything is looked up and put in order once, in files in `folder`; answering is to read them."""
    for statement in _delivered(prefix, accepted):
        reader.execute(statement)
    for collection in BEGUN:
        for statement in (*SEEN[collection], *_ready(collection, folder)):
            reader.execute(statement)
    pours = [
        (collection, Pour("store_served", COLUMNS, rows(collection, district_id))) for collection in BEGUN
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
            with indexed_afterwards(cursor, {"store_served": made.rows}):
                poured = pour(cursor, made.reader, [one for _, one in made.pours], go_on)
    finally:
        connection.close()
    return replace(made, poured=poured)


def clear(cursor: CursorWrapper, district_id: int) -> None:
    """What was put together for a district's first publication that never came. The caller has the district locked."""
    cursor.execute("DELETE FROM store_served WHERE district_id = %s", [district_id])


def _ready(collection: str, folder: Path) -> Iterator[str]:
    """A view of the records seen, in the order in which they are served: the record id, whether it is plain, and what its texts are made of."""
    seen, file = SEEN_OF[collection], literal(str(folder / f"{collection}.parquet"))
    _, columns = _named(seen)
    keys = [(sql, key) for key, sql in seen.keys.items()]
    made = ", ".join(f"{sql} AS {column}" for sql, column in (*keys, *columns.items()))
    yield f"""COPY (SELECT x.record_id, coalesce({seen.plain}, false) AS plain, {made} FROM "{collection}" x {seen.joins}
        ORDER BY {seen.order}) TO {file} {PARQUET}"""
    yield f"CREATE VIEW ready_{collection} AS SELECT * FROM read_parquet({file})"


def rows(collection: str, district_id: int) -> str:
    """SQL of the served rows of the plain records in a first publication; columns as in `COLUMNS`."""
    seen = SEEN_OF[collection]
    (kind, sources_v1p1, sources_v1p2), _ = _named(seen)
    text_v1p1 = text("1.1", collection, {**sources_v1p1, **seen.late})
    text_v1p2 = "NULL"
    if collection not in ALWAYS_ALIKE:
        text_v1p2 = f"nullif({text('1.2', collection, {**sources_v1p2, **seen.late})}, {text_v1p1})"
    return (
        f"SELECT {district_id}, {NUMBER_OF[collection]}, position, {FIRST}, {FOREVER}, x.record_id, false, {kind}, {FIRST}, {FIRST},"
        f" {text_v1p1}, {text_v1p2} FROM"
        f" (SELECT *, row_number() OVER () AS position FROM ready_{collection} WHERE plain) x {seen.again}"
    )


def _named(seen: Seen) -> tuple[tuple[str, Sources, Sources], dict[str, str]]:
    """What is made of the records, with a column in the place of each SQL; and these."""
    columns: dict[str, str] = {}

    def named(sql: str) -> str:
        return columns.setdefault(sql, f"c{len(columns)}")

    def all_named(sources: Sources) -> Sources:
        return {key: named(one) if isinstance(one, str) else all_named(one) for key, one in sources.items()}

    return (named(seen.kind), all_named(seen.sources_v1p1), all_named(seen.sources_v1p2)), columns


# --- What was delivered, and what of it is seen ---------------------------------------------------------------------------------------------


def _delivered(prefix: str, accepted: Path) -> Iterator[str]:
    """A view of each collection: its columns and the id served."""
    for collection in LOAD_ORDER:
        file = parquet_of(accepted, collection)
        nothing = ", ".join(f'NULL AS "{column}"' for column in (*KEYS, *payload_columns(collection)))
        source = f"SELECT * FROM {scan(file)}" if file else f"SELECT {nothing} WHERE false"
        yield f"CREATE VIEW {collection} AS SELECT *, {literal(prefix)} || source_id AS id FROM ({source}) WHERE status = 'active'"
    yield f"CREATE MACRO own(id) AS {literal(prefix)} || id"
    yield f"CREATE MACRO served(ids) AS {literal(prefix)} || replace(ids, ',', {literal(',' + prefix)})"


def _reserved(text_: str) -> str:
    return f"regexp_matches({text_}, {literal(RESERVED)})"


def _given(collection: str, links: str, owner: str) -> str:
    """SQL: the resources that were given, by whom they were given to."""
    return f"""CREATE TABLE given_{collection} AS
        SELECT given, string_agg(id, ',' ORDER BY first) AS ids, bool_or(reserved) AS reserved FROM (
            SELECT l."{owner}" AS given, r.id, r.reserved, min(l.record_id) AS first FROM "{links}" l
            JOIN seen_resources r ON r.source_id = l."resourceSourcedId" GROUP BY ALL) GROUP BY given"""


SEEN = {
    "enrollments": (
        f"CREATE TABLE seen_orgs AS SELECT record_id, source_id, id, {_reserved('id')} AS reserved FROM orgs",
        f"CREATE TABLE seen_courses AS SELECT source_id, id, {_reserved('id')} AS reserved FROM courses",
        f"""CREATE TABLE seen_classes AS SELECT k.record_id, k.source_id, {_reserved("k.id")} AS reserved,
                c.id AS course_id, c.reserved AS course_reserved,
                o.record_id AS school, o.id AS school_id, o.reserved AS school_reserved
            FROM classes k JOIN seen_courses c ON c.source_id = k."courseSourcedId" JOIN seen_orgs o ON o.source_id = k."schoolSourcedId\"""",
        f"CREATE VIEW active_users AS SELECT record_id, source_id, {_reserved('id')} AS reserved FROM users",
    ),
    "users": (
        """CREATE TABLE held AS SELECT u.record_id AS person, r.role, r."roleType" AS kind, o.record_id AS org,
                r."beginDate" IS NULL AND r."endDate" IS NULL AND r."userProfileSourcedId" IS NULL AS for_good
            FROM roles r JOIN active_users u ON u.source_id = r."userSourcedId"
            LEFT JOIN seen_orgs o ON o.source_id = r."orgSourcedId" AND NOT o.reserved""",
        f"""CREATE TABLE seen_users AS SELECT person FROM held WHERE role NOT IN ({", ".join(map(literal, GUARDIANS))})
            UNION SELECT person FROM ready_enrollments""",
        # Who has one role only, and that for good.
        """CREATE VIEW settled AS SELECT person, role, kind, org FROM held WHERE for_good AND org IS NOT NULL
            AND person NOT IN (SELECT person FROM held GROUP BY person HAVING count(*) > 1)""",
        # Who names as agent somebody who is seen for themselves.
        """CREATE TABLE wards AS SELECT DISTINCT w.person FROM (
                SELECT record_id AS person, unnest(string_split("agentSourcedIds", ',')) AS agent FROM users
                WHERE "agentSourcedIds" IS NOT NULL) w
            JOIN active_users a ON a.source_id = w.agent SEMI JOIN seen_users s ON s.person = a.record_id""",
        f"CREATE TABLE seen_resources AS SELECT record_id, source_id, id, {_reserved('id')} AS reserved FROM resources",
        _given("users", "userResources", "userSourcedId"),
    ),
    "demographics": (),
    "classes": (
        f'CREATE TABLE seen_sessions AS SELECT source_id, id, {_reserved("id")} AS reserved FROM "academicSessions"',
        _given("classes", "classResources", "classSourcedId"),
    ),
}
"""What is looked up before each collection is put in order: what a full grant sees, as `sights.base_sight` says, and what is asked of people's
roles and agents. People are told by their record ids, which need a third of the room.
"""


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


def _enrollments() -> Seen:
    sources = {"sourcedId": "x.id", "userSourcedId": 'own(x."userSourcedId")'}
    sources |= {
        name: sql for name, sql in _columns("enrollments").items() if name not in (*sources, "metadata")
    }
    joins = """JOIN seen_classes k ON k.source_id = x."classSourcedId" JOIN active_users u ON u.source_id = x."userSourcedId"
        LEFT JOIN seen_orgs s ON s.source_id = x."schoolSourcedId\""""
    values = """concat_ws('', x.id, x.role, x."beginDate", x."endDate")"""
    plain = f"""x.metadata IS NULL AND NOT (k.reserved OR u.reserved OR coalesce(s.reserved, k.school_reserved))
        AND NOT {_reserved(values)}"""
    late = {"classSourcedId": "own(k.source_id)", "schoolSourcedId": "s.id"}
    return Seen(
        joins,
        "k.school, k.record_id, x.record_id",
        plain,
        "x.role",
        {name: sql for name, sql in sources.items() if name not in late},
        {name: sql for name, sql in sources.items() if name not in late},
        # A school out of sight is told as the class's own, which is always in sight.
        {"person": "u.record_id", "class": "k.record_id", "school": "coalesce(s.record_id, k.school)"},
        "JOIN seen_classes k ON k.record_id = x.class JOIN seen_orgs s ON s.record_id = x.school",
        late,
    )


def _users() -> Seen:
    both = {name: sql for name, sql in _columns("users").items() if name != "agentSourcedIds"} | {
        "sourcedId": "x.id",
        "primaryOrgSourcedId": "o.id",
        "resources": "g.ids",
    }
    words = " ".join(f"WHEN {literal(word)} THEN {literal(old)}" for word, old in ROLES_V1P1.items())
    kind = f"CASE r.role {words} ELSE {literal(UNKNOWN_ROLE_V1P1)} END"
    own = "substr(x.metadata, 2, length(x.metadata) - 2)"
    shown = ", ".join(f"""'"{name}":"' || x."{column}" || '"'""" for name, column in METADATA_V1P1.items())
    metadata = f"""'{{' || nullif(concat_ws(',', {shown}, {own}), '') || '}}'"""
    clash = " OR ".join(f"""contains(x.metadata, '"{name}":')""" for name in METADATA_V1P1)
    joins = """SEMI JOIN seen_users seen ON seen.person = x.record_id LEFT JOIN settled r ON r.person = x.record_id
        LEFT JOIN seen_orgs home ON home.record_id = r.org LEFT JOIN seen_orgs o ON o.source_id = x."primaryOrgSourcedId"
        LEFT JOIN given_users g ON g.given = x.source_id"""
    plain = f"""r.person IS NOT NULL
        AND NOT ({_reserved("x.id")} OR coalesce(g.reserved, false) OR coalesce(o.reserved, false)) AND {_is_safe("users")}
        AND NOT coalesce({clash}, false)
        AND (x."userIds" IS NULL OR regexp_full_match(x."userIds", {literal(USER_IDS_LIST)}))
        AND x.record_id NOT IN (SELECT person FROM wards) AND x.source_id NOT IN (SELECT "userSourcedId" FROM "userProfiles")"""
    role = {"roleType": "r.kind", "role": "r.role", "orgSourcedId": "home.id"}
    return Seen(
        joins,
        'lower(x."familyName"), lower(x."givenName"), x.record_id',
        plain,
        kind,
        both | {"role": kind, "orgSourcedIds": "home.id", "metadata": metadata},
        {**both, "roles": role},
    )


def _demographics() -> Seen:
    sources = _columns("demographics") | {"sourcedId": "x.id"}
    words = ", ".join(map(literal, SEX_11.words))
    joins = """JOIN active_users u ON u.source_id = x.source_id SEMI JOIN seen_users seen ON seen.person = u.record_id"""
    sex = {"sex": f"CASE WHEN x.sex IN ({words}) THEN x.sex END"}
    return Seen(
        joins, "x.record_id", f"NOT u.reserved AND {_is_safe('demographics')}", "''", sources | sex, sources
    )


def _classes() -> Seen:
    sources = _columns("classes") | {
        "sourcedId": "x.id",
        "courseSourcedId": "k.course_id",
        "schoolSourcedId": "k.school_id",
        "termSourcedIds": 'served(x."termSourcedIds")',
        "resources": "g.ids",
    }
    joins = """JOIN seen_classes k ON k.record_id = x.record_id LEFT JOIN given_classes g ON g.given = x.source_id"""
    plain = f"""NOT (k.reserved OR k.course_reserved OR k.school_reserved OR coalesce(g.reserved, false)) AND {_is_safe("classes")}
        AND list_has_all((SELECT list(source_id) FROM seen_sessions WHERE NOT reserved), string_split(x."termSourcedIds", ','))"""
    return Seen(joins, "x.record_id", plain, "''", sources, sources)


SEEN_OF = {
    "enrollments": _enrollments(),
    "users": _users(),
    "demographics": _demographics(),
    "classes": _classes(),
}
