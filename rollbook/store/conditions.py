"""A filter as a condition in SQL. Each clause says what `oneroster.evaluation` says in Python; a property test holds them together."""

from collections.abc import Callable

from rollbook.oneroster.evaluation import holds
from rollbook.oneroster.filters import AllOf, AnyOf, Clause
from rollbook.oneroster.folding import fold
from rollbook.oneroster.json_binding import quoted
from rollbook.store.columns import column_of
from rollbook.store.dialect import FALSE, TRUE, Sql, all_of, any_of, sql, value
from rollbook.store.scene import GONE, Scene
from rollbook.store.sources import BY_RECORD, Scalar, Several, scalar_at, several_at

LastBefore = Callable[[int], int]
"""The number of the last publication at or before a moment in milliseconds, 0 where there is none."""

MILLISECOND = 1_000

SOUGHT_BY_RECORD = BY_RECORD | {("enrollments", "school")}
"""References whose record, once known, leads to the rows."""


def condition(scene: Scene, tree: AnyOf, last_before: LastBefore) -> Sql:
    """True of the rows that answer the filter."""
    return any_of(
        all_of(_clause(scene, clause, last_before) for clause in group.clauses) for group in tree.groups
    )


def bound(tree: AnyOf, last_before: LastBefore) -> int:
    """A publication after which all that answers the filter was stamped; 0 when the filter sets no such bound."""
    return min(_group_bound(group, last_before) for group in tree.groups)


def _group_bound(group: AllOf, last_before: LastBefore) -> int:
    bounds = [
        _after(operand, clause.predicate, last_before)
        for clause in group.clauses
        for operand in clause.operands
        if clause.path.names == ("dateLastModified",) and clause.predicate in (">", ">=", "=")
    ]
    return max(bounds, default=0)


def _after(operand: str | int | float, predicate: str, last_before: LastBefore) -> int:
    """The publication after which stamps are later than the moment, or not before it. Instants are whole milliseconds."""
    moment = int(operand) if predicate in (">", "<=") else int(operand) - 1
    return last_before(moment // MILLISECOND)


def _clause(scene: Scene, clause: Clause, last_before: LastBefore) -> Sql:
    name = clause.path.names[0]
    if name == "dateLastModified":
        return _stamped(scene, clause, last_before)
    if name == "sourcedId":
        return _scalar(scene, clause, scalar_at(scene, clause.path))
    dead = holds(clause, scene.tombstone)
    if name == "status":
        return _either(dead, TRUE if holds(clause, {"status": "active"}) else FALSE)
    return _either(dead, _live(scene, clause))


def _either(dead: bool, live: Sql) -> Sql:
    """`live` of what is alive, and what is known beforehand of every tombstone."""
    if dead:
        return any_of([GONE, live]) if live != TRUE else TRUE
    return all_of([sql("NOT {}", GONE), live]) if live != FALSE else FALSE


def _live(scene: Scene, clause: Clause) -> Sql:
    if clause.path.many:
        return _several(scene, clause, several_at(scene, clause.path))
    if (scene.collection, clause.path.names[0]) in SOUGHT_BY_RECORD and clause.predicate in ("=", "!="):
        return _by_record(scene, clause)
    return _scalar(scene, clause, scalar_at(scene, clause.path))


def _by_record(scene: Scene, clause: Clause) -> Sql:
    """References compared by record id, which is indexed."""
    member = scene.entity.member(clause.path.names[0])
    assert member is not None
    named = str(clause.operands[0])
    if (scene.collection, member.name) == ("enrollments", "school"):
        equal = all_of([enrolled_at(scene, named), scene.visible("orgs", scene.record("orgs", named))])
    else:
        equal = referring(scene, column_of(member.source), scene.record(member.target or "", named))
    return equal if clause.predicate == "=" else _unless(equal)


def referring(scene: Scene, column: str, record_id: Sql) -> Sql:
    """Rows whose column holds this record id."""
    rows = scene.rows_of(scene.collection, "mine")
    return scene.dialect.among(
        "entry.record_id", sql(f"SELECT mine.id {{}} AND mine.{column} = {{}}", rows, record_id)
    )


def enrolled_at(scene: Scene, school: str) -> Sql:
    """Enrollments whose school this is as served, if it is served: one whose own school is out of sight tells its class's."""
    wanted = scene.record("orgs", school)
    own = sql("SELECT mine.id {} AND mine.school_id = {}", scene.rows_of("enrollments", "mine"), wanted)
    classes = sql("SELECT held.id {} AND held.school_id = {}", scene.rows_of("classes", "held"), wanted)
    elsewhere = sql("mine.school_id <> {} AND NOT {}", wanted, scene.visible("orgs", Sql("mine.school_id")))
    of_class = sql(
        "SELECT mine.id {} AND mine.class_id IN ({}) AND {}",
        scene.rows_of("enrollments", "mine"),
        classes,
        elsewhere,
    )
    return sql("entry.record_id IN ({} UNION {})", own, of_class)


def _unless(equal: Sql) -> Sql:
    """!= is true of what is absent too."""
    return sql("({}) IS NOT TRUE", equal)


def _scalar(scene: Scene, clause: Clause, source: Scalar) -> Sql:
    operand = clause.operands[0]
    assert isinstance(operand, str), clause.path.text
    without_case = clause.path.leaf.compare == "folded"
    text = source.folded if without_case else source.raw
    wanted = value(fold(operand) if without_case else operand)
    match clause.predicate:
        case "=" | "!=":
            bare = source.bare_folded if without_case else source.bare
            equal = sql("{} = {}", bare if bare and operand else text, wanted)
            return equal if clause.predicate == "=" else _unless(equal)
        case "~":
            return scene.dialect.contains(text, wanted)
        case order:
            return sql(f"{{}} {order} {{}}", scene.dialect.by_code_point(source.raw), value(operand))


def _several(scene: Scene, clause: Clause, source: Several) -> Sql:
    match clause.predicate:
        case "=":
            return _occur(scene, clause, source, every=True)
        case "!=":
            return _unless(_occur(scene, clause, source, every=True))
        case "~":
            return _occur(scene, clause, source, every=False)
        case order:
            return any_of(_ordered(scene, source, order, operand) for operand in clause.operands)


def _occur(scene: Scene, clause: Clause, source: Several, every: bool) -> Sql:
    """That every value asked for, or one of them, is among the items."""
    texts = [str(operand) for operand in clause.operands]
    if clause.path.leaf.compare != "folded":
        return holds_texts(scene, source, texts, every)
    return _among_items(source.folded_items, source.folded, list(dict.fromkeys(map(fold, texts))), every)


def holds_texts(scene: Scene, source: Several, texts: list[str], every: bool = True) -> Sql:
    """That every one of these texts, or one of them, is among the items byte for byte."""
    found = _among_items(source.raw_items, source.raw, texts, every)
    if source.text is None:
        return found
    reads = [scene.dialect.contains(source.text, value(quoted(text))) for text in texts]
    return all_of([all_of(reads) if every else any_of(reads), found])


def _among_items(items: Sql, item: Sql, texts: list[str], every: bool) -> Sql:
    """One walk through the items, however many texts there are."""
    wanted = sql(", ".join(["{}"] * len(texts)), *map(value, texts))
    test = sql("{} IN ({})", item, wanted)
    if every and len(texts) > 1:
        return sql("(SELECT COUNT(DISTINCT {}) FROM {} WHERE {}) = {}", item, items, test, value(len(texts)))
    return _exists(items, test)


def _ordered(scene: Scene, source: Several, order: str, operand: str | int | float) -> Sql:
    item = scene.dialect.by_code_point(source.raw)
    return _exists(source.raw_items, sql(f"{{}} {order} {{}}", item, value(str(operand))))


def _exists(items: Sql, test: Sql) -> Sql:
    return sql("EXISTS (SELECT 1 FROM {} WHERE {})", items, test)


def _stamped(scene: Scene, clause: Clause, last_before: LastBefore) -> Sql:
    """dateLastModified, by the numbers of publications: they and their instants grow together."""
    operand = clause.operands[0]
    if clause.predicate == "~":
        return _stamp_reads(scene, str(operand))
    stamp = scene.stamp
    after, through = _after(operand, ">=", last_before), _after(operand, ">", last_before)
    later, not_before = sql("{} > {}", stamp, value(through)), sql("{} > {}", stamp, value(after))
    earlier, not_after = sql("{} <= {}", stamp, value(after)), sql("{} <= {}", stamp, value(through))
    at_once = all_of([not_before, not_after])
    answers = {
        ">": later,
        ">=": not_before,
        "<": earlier,
        "<=": not_after,
        "=": at_once,
        "!=": _unless(at_once),
    }
    return answers[clause.predicate]


def _stamp_reads(scene: Scene, part: str) -> Sql:
    reads = scene.dialect.contains(Sql("made.instant_text"), value(part))
    return sql(
        "{} IN (SELECT made.number FROM store_publication AS made WHERE made.district_id = {} AND {})",
        scene.stamp,
        value(scene.district_id),
        reads,
    )
