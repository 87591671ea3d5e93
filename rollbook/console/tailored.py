"""A file of an app's own in words: its columns and conditions as rows of a form, what else could be chosen, and how it is listed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rollbook.console.tailoring import Column, Condition, Draft, own_columns
from rollbook.console.words import COLLECTIONS, field_words, vocabulary_words
from rollbook.engine.holdings import Holdings
from rollbook.engine.scope import Treatment
from rollbook.engine.tailoring import Keep, Source, Tailored, leading_on, source_of
from rollbook.oneroster.csv_binding import METADATA
from rollbook.oneroster.spec import Field
from rollbook.oneroster.tables import BINDINGS

FAR = 2
"""A column is offered from a file that so many references lead to; others can be named as text."""

RELATION_WORDS = {
    "is": gettext_lazy("is"),
    "is not": gettext_lazy("is not"),
    "is one of": gettext_lazy("is one of (with commas)"),
    "contains": gettext_lazy("contains"),
    "begins with": gettext_lazy("begins with"),
}

NOTES = {
    Treatment.MASK: gettext_lazy("The app sees it masked, here too."),
    Treatment.PSEUDONYMISE: gettext_lazy("The app sees a pseudonym instead, here too."),
}


@dataclass(frozen=True)
class ShownColumn:
    """One column as a row of the form. `key` is the same wherever the row stands."""

    number: int
    key: str
    column: Column
    words: str
    way: str
    note: Any
    is_held: bool

    @property
    def called(self) -> str:
        return f"{self.way}: {self.words}" if self.way else self.words


@dataclass(frozen=True)
class ShownCondition:
    """One condition as a row of the form; `said` are the words its field can say, where there are only so many."""

    number: int
    condition: Condition
    said: tuple[str, ...]
    is_offered: bool


Group = tuple[str, list[tuple[str, str]]]
"""A file that can be reached: in words, and (path, words) of its columns."""


def shown_columns(draft: Draft, version: str, held: Holdings) -> list[ShownColumn]:
    seen: dict[str, int] = {}
    rows = []
    for number, column in enumerate(draft.columns):
        seen[column.path] = seen.get(column.path, 0) + 1
        key = f"{column.path}-{seen[column.path]}"
        source, end = source_of(column.path), end_of(draft.table, source_of(column.path), version)
        is_held = end is not None and _reaches(draft.table, source, version, held)
        note = NOTES.get(held.treatment(end, source.column), "") if end else ""
        words, way = (
            str(_column_words(source.column)),
            " → ".join(str(field_words(one)) for one in source.references),
        )
        rows.append(ShownColumn(number, key, column, words, way, note, is_held))
    return rows


def shown_conditions(draft: Draft, version: str, groups: list[Group]) -> list[ShownCondition]:
    offered = {path for _words, columns in groups for path, _name in columns}
    return [
        ShownCondition(number, one, _words_of(draft.table, one.path, version), one.path in offered)
        for number, one in enumerate(draft.conditions)
    ]


def _words_of(table: str, path: str, version: str) -> tuple[str, ...]:
    source = source_of(path)
    end = end_of(table, source, version)
    field = field_of(end, source.column, version) if end else None
    if field is None:
        return ()
    if field.vocabulary is not None:
        return field.vocabulary.words
    return ("true", "false") if field.type == "boolean" else ()


def field_of(table: str, column: str, version: str) -> Field | None:
    return next((one for one in BINDINGS[version].table(table).fields if one.name == column), None)


def end_of(table: str, source: Source, version: str) -> str | None:
    """The file at the end of a way; None where there is no such way."""
    for step in source.references:
        found = leading_on(BINDINGS[version].table(table)).get(step)
        if found is None:
            return None
        table = found
    return table


def _reaches(table: str, source: Source, version: str, held: Holdings) -> bool:
    for step in source.references:
        if not held.has(table, step):
            return False
        table = leading_on(BINDINGS[version].table(table))[step]
    return held.has(table, source.column)


def groups_of(table: str, version: str, held: Holdings) -> list[Group]:
    """What can be chosen from: the file's own columns, then those of the files that its references lead to."""
    own = (file_words(table), [(path, str(field_words(path))) for path in own_columns(table, held)])
    return [own, *_further(table, version, held, ())]


def _further(table: str, version: str, held: Holdings, way: tuple[str, ...]) -> Iterator[Group]:
    deeper = []
    for step, target in leading_on(BINDINGS[version].table(table)).items():
        if held.has(table, step) and target in held.columns:
            path = (*way, step)
            words = " → ".join(str(field_words(one)) for one in path)
            columns = [(".".join((*path, one)), str(field_words(one))) for one in own_columns(target, held)]
            yield f"{words} ({target}.csv)", columns
            deeper.append((target, path))
    if len(way) + 1 < FAR:
        for target, path in deeper:
            yield from _further(target, version, held, path)


def file_words(table: str) -> str:
    return f"{COLLECTIONS.get(table, table)} ({table}.csv)"


def _column_words(column: str) -> Any:
    if column.startswith(METADATA):
        return _("Metadata: %(name)s") % {"name": column.removeprefix(METADATA)}
    return field_words(column)


@dataclass(frozen=True)
class ShownFile:
    """One file in words, as it is listed."""

    place: int
    file: str
    table: str
    titles: list[str]
    conditions: list[str]


def shown_file(place: int, tailored: Tailored, version: str) -> ShownFile:
    conditions = [_said(tailored.table, keep, version) for keep in tailored.keeps]
    return ShownFile(
        place,
        tailored.file,
        file_words(tailored.table),
        [title for title, _source in tailored.columns],
        conditions,
    )


def _said(table: str, keep: Keep, version: str) -> str:
    names = [str(field_words(one)) for one in keep.source.references] + [
        str(_column_words(keep.source.column))
    ]
    said = _words_of(table, keep.source.path, version)
    value = str(vocabulary_words(keep.value)) if keep.value in said else keep.value
    return f"{' → '.join(names)} {RELATION_WORDS[keep.relation]} “{value}”"


def tables_of(held: Holdings) -> list[tuple[str, str]]:
    """The files that one of the app's own can be made of: (name, words)."""
    return [(table, file_words(table)) for table in COLLECTIONS if table in held.columns]
