"""A Question answered in SQL: the positions, in one view of the current publication, of the records it asks for, in its order.

One statement with bound parameters, but for the moments and parents looked up first. Keeping the answer is its caller's affair.
"""

from functools import cache

from django.db.backends.utils import CursorWrapper

from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.evaluation import values_at
from rollbook.oneroster.filters import UNSTORABLE, AnyOf
from rollbook.oneroster.query import Question, Sort
from rollbook.store.aliases import has_former_names
from rollbook.store.conditions import LastBefore, bound, condition
from rollbook.store.dialect import Sql, all_of, dialect_of, sql, value
from rollbook.store.nested import LIVE, PARENTS, Condition, membership
from rollbook.store.scene import GONE, Scene
from rollbook.store.sources import scalar_at
from rollbook.store.visibility import NotVisible, Reader


def positions(cursor: CursorWrapper, reader: Reader, question: Question, publication: int) -> list[int]:
    """The positions of the rows that answer, in the order asked for. Raises NotVisible when the path goes through what the reader
    does not see.

    `publication` is the current one: only what is served now is looked at, so its caller sees to it that it stays the current one.
    """
    _require_parents(cursor, reader, question)
    return _positions(cursor, reader, question, publication)


def record_position(
    cursor: CursorWrapper, reader: Reader, question: Question, publication: int
) -> int | None:
    """The position of the one record that a single operation names, None where the reader sees none that is what the path calls it."""
    found = _positions(cursor, reader, question, publication)
    return found[0] if found else None


def _positions(cursor: CursorWrapper, reader: Reader, question: Question, publication: int) -> list[int]:
    scene = _scene(cursor, reader, question, question.operation.collection or "")
    last_before = _last_before(cursor, reader.district_id, publication)
    conditions = [membership(scene, question)]
    if question.filter:
        conditions += _since(scene, question.filter, last_before)
        conditions.append(condition(scene, question.filter, last_before))
    where = all_of(conditions)
    found = _select(scene, "entry.position", where, _order(scene, question.sort, where))
    cursor.execute(found.text, found.values)
    return [row[0] for row in cursor.fetchall()]


def _scene(cursor: CursorWrapper, reader: Reader, question: Question, collection: str) -> Scene:
    entity = ENTITIES[question.operation.version, collection]
    return Scene(dialect_of(cursor), entity, reader.district_id, reader.view_id, has_former_names(reader))


def _require_parents(cursor: CursorWrapper, reader: Reader, question: Question) -> None:
    """Every record the path goes through must be served alive and be what the path calls it."""
    if question.operation.kind == "single":
        return
    words = question.operation.path.split("/")[1::2]
    for word, sourced_id in zip(words, question.parents, strict=False):
        collection, is_one = PARENTS[word]
        scene = _scene(cursor, reader, question, collection)
        if not _is_served(cursor, scene, sourced_id, is_one):
            raise NotVisible(sourced_id)


def _is_served(cursor: CursorWrapper, scene: Scene, sourced_id: str, is_one: Condition) -> bool:
    if UNSTORABLE.search(sourced_id):
        return False
    named = sql("entry.record_id = {}", scene.record(scene.collection, sourced_id))
    found = _select(scene, "1", all_of([named, LIVE, is_one(scene, ())]), Sql("1"))
    cursor.execute(found.text, found.values)
    return cursor.fetchone() is not None


def _select(scene: Scene, what: str, where: Sql, order: Sql) -> Sql:
    source = scene.source(f"{where.text} {order.text}")
    return sql("SELECT {} {} AND {} ORDER BY {}", what, source, where, order)


def _last_before(cursor: CursorWrapper, district_id: int, publication: int) -> LastBefore:
    """The district's publications by their moments. They are looked up first, so that the statement compares with a number."""

    @cache
    def last_before(milliseconds: int) -> int:
        cursor.execute(
            "SELECT number FROM store_publication WHERE district_id = %s AND number <= %s AND instant <= %s"
            " ORDER BY number DESC LIMIT 1",
            [district_id, publication, milliseconds],
        )
        row = cursor.fetchone()
        return row[0] if row else 0

    return last_before


def _since(scene: Scene, tree: AnyOf, last_before: LastBefore) -> list[Sql]:
    """A bound that an index can use: what was stamped after a publication was written after it, here or in the whole roster.

    The index has nothing of a first publication, which the database has to be told to know that it may use it.
    """
    number = bound(tree, last_before)
    if not number:
        return []
    if not scene.is_view:
        return [sql("entry.from_publication > {} AND entry.from_publication > 1", value(number))]
    return [sql("entry.record_id IN ({})", scene.written_after(number))]


def _order(scene: Scene, sort: Sort | None, where: Sql) -> Sql:
    if sort is None:
        # The plus keeps SQLite from walking all positions in order where it could look up a few records.
        return Sql("+entry.position" if "entry.record_id" in where.text else "entry.position")
    direction = "DESC NULLS LAST" if sort.descending else "ASC NULLS FIRST"
    by_id = scene.dialect.by_code_point(Sql("roster.sourced_id"))
    return sql(f"{{}} {direction}, {{}}", _sort_key(scene, sort), by_id)


def _sort_key(scene: Scene, sort: Sort) -> Sql:
    """What is served, a tombstone's neutral values for the gone."""
    name = sort.path.names[0]
    if name == "dateLastModified":
        return scene.stamp
    if name == "sourcedId":
        return scene.dialect.by_code_point(Sql("roster.sourced_id"))
    live = value("active") if name == "status" else scalar_at(scene, sort.path).raw
    shown = values_at(scene.tombstone, sort.path.names)
    dead = value(str(shown[0])) if shown else Sql("NULL")
    return scene.dialect.by_code_point(sql("CASE WHEN {} THEN {} ELSE {} END", GONE, dead, live))
