"""Where SQL finds what a record serves under a member: a typed roster column and its folded twin, or the JSON text served.

Columns only where every view serves what they hold. What a view may trim, and what is worked out, is read from the text.
"""

from dataclasses import dataclass

from rollbook.oneroster.filters import Path
from rollbook.oneroster.mapping import METADATA_V1P1
from rollbook.oneroster.spec import Member
from rollbook.store.columns import column_of
from rollbook.store.dialect import Sql, sql, value
from rollbook.store.models import RECORDS
from rollbook.store.scene import Scene

KINDS = frozenset(
    {("orgs", "type"), ("academicSessions", "type"), ("users", "role"), ("enrollments", "role")}
)
"""Members that a served row holds as its `kind`."""

BY_RECORD = frozenset(
    {("enrollments", "user"), ("enrollments", "class"), ("classes", "course"), ("classes", "school")}
)
"""References that are always served as the roster has them."""

RESHAPED = frozenset({("1.1", "demographics", "sex")})
"""Members that a version shows otherwise than the roster has them."""


@dataclass(frozen=True)
class Scalar:
    """One value as text, NULL where it is absent: as served, and without case.

    The bare columns, where there are any, are equal to the same texts but the empty one, and may be indexed.
    """

    raw: Sql
    folded: Sql
    bare: Sql | None = None
    bare_folded: Sql | None = None


@dataclass(frozen=True)
class Several:
    """The values of an array: FROM items that yield them as served and without case, and what to call one of either.

    `text` is what they are read from, where they are: it holds every value as a JSON string, which is quicker to look for.
    """

    raw_items: Sql
    raw: Sql
    folded_items: Sql
    folded: Sql
    text: Sql | None = None


def scalar_at(scene: Scene, path: Path) -> Scalar:
    """The one value at a path without arrays."""
    name = path.names[0]
    member = _member(scene, name)
    if name == "sourcedId":
        return Scalar(Sql("roster.sourced_id"), Sql("roster.sourced_id"))
    if member.type == "metadata":
        return _metadata(scene, path.names[1])
    if (scene.collection, name) in KINDS:
        return _word(scene, scene.kind)
    if (scene.collection, name) in BY_RECORD:
        return _word(scene, scene.served_id(member.target or "", column(member)))
    if has_column(scene, member):
        return _column(scene, member)
    return _word(scene, scene.dialect.scalar(scene.document, path.names))


def several_at(scene: Scene, path: Path) -> Several:
    """The values at a path through an array, or through an array in an array."""
    member = _member(scene, path.names[0])
    if len(path.names) == 1 and has_column(scene, member):
        raw, folded = Sql(column(member)), Sql(twin(member))
        texts = scene.dialect.texts
        return Several(texts(raw, "item"), Sql("item.value"), texts(folded, "item"), Sql("item.value"))
    items, rest = _items(scene, path.names)
    word = _word(scene, scene.dialect.scalar(Sql("item.value"), rest))
    return Several(items, word.raw, items, word.folded, scene.text)


def has_column(scene: Scene, member: Member) -> bool:
    """Whether the roster's own column says what is served."""
    if member.type in ("reference", "object") or (scene.version, scene.collection, member.name) in RESHAPED:
        return False
    fields = {field.name for field in RECORDS[scene.collection]._meta.get_fields()}
    return bool(member.source) and column_of(member.source) in fields


def column(member: Member) -> str:
    return f'roster."{column_of(member.source)}"'


def twin(member: Member) -> str:
    return f'roster."{column_of(member.source)}_folded"'


def _member(scene: Scene, name: str) -> Member:
    member = scene.entity.member(name)
    assert member is not None, name
    return member


def _word(scene: Scene, text: Sql) -> Scalar:
    """A word of a vocabulary, a flag or an id: ASCII, so that any database can tell its lower case."""
    return Scalar(text, scene.dialect.lower(text))


def _column(scene: Scene, member: Member) -> Scalar:
    if member.type == "boolean":
        name = column(member)
        default = f" ELSE '{member.default}'" if member.default is not None else ""
        return _word(scene, Sql(f"CASE WHEN {name} THEN 'true' WHEN NOT {name} THEN 'false'{default} END"))
    name = column(member)
    raw = _or_default(member, name)
    bare = Sql(name) if not member.default and not member.default_source else None
    fields = {field.name for field in RECORDS[scene.collection]._meta.get_fields()}
    if f"{column_of(member.source)}_folded" not in fields:
        return Scalar(raw, scene.dialect.lower(raw), bare)
    return Scalar(raw, _or_default(member, twin(member)), bare, Sql(twin(member)))


def _or_default(member: Member, name: str) -> Sql:
    """The column as rendering sees it: an optional text that is empty is absent, a required one is empty when it is absent."""
    if member.default_source:
        return Sql(f"COALESCE(NULLIF({name}, ''), roster.\"{column_of_id(member.default_source)}\")")
    if member.required or member.default is not None:
        return sql("COALESCE(NULLIF({}, ''), {})", name, value(member.default or ""))
    return Sql(f"NULLIF({name}, '')")


def column_of_id(field: str) -> str:
    return "sourced_id" if field == "sourcedId" else column_of(field)


def _metadata(scene: Scene, name: str) -> Scalar:
    named = scene.dialect.named
    raw, folded = named(Sql("roster.metadata"), name), named(Sql("roster.metadata_folded"), name)
    if scene.is_view and scene.collection == "orgs":
        # An org that is there for reference alone shows none.
        any_at_all = scene.dialect.scalar(scene.document, ("metadata",))
        return Scalar(
            *(sql("CASE WHEN {} IS NOT NULL THEN {} END", any_at_all, one) for one in (raw, folded))
        )
    if scene.version == "1.1" and scene.collection == "users" and name in METADATA_V1P1:
        # 1.1 shows as metadata what it has no member for, unless the district's own metadata has that name.
        member = Member(METADATA_V1P1[name], source=METADATA_V1P1[name])
        shown = _column(scene, member)
        return Scalar(sql("COALESCE({}, {})", raw, shown.raw), sql("COALESCE({}, {})", folded, shown.folded))
    return Scalar(raw, folded)


def _items(scene: Scene, names: tuple[str, ...]) -> tuple[Sql, tuple[str, ...]]:
    """The FROM items down to the innermost array, the last called `item`, and the names still to go from there."""
    arrays = _arrays(_member(scene, names[0]), names)
    items, document = [], scene.document
    for depth, inner in enumerate(arrays):
        alias = "item" if depth == len(arrays) - 1 else f"outer{depth}"
        items.append(scene.dialect.objects(document, inner, alias))
        document = Sql(f"{alias}.value")
    text = sql(", ".join(["{}"] * len(items)), *items)
    return text, names[sum(len(inner) for inner in arrays) :]


def _arrays(member: Member, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The path cut behind each array on its way."""
    arrays: list[tuple[str, ...]] = []
    walked: tuple[str, ...] = ()
    for depth, name in enumerate(names):
        walked = (*walked, name)
        if member.many:
            arrays.append(walked)
            walked = ()
        if depth + 1 < len(names):
            member = member.member(names[depth + 1]) or member
    return arrays
