"""What stands in a table's cells and a record's facts: values made readable, references made links. Names are looked up once a page."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from rollbook.console.dates import day
from rollbook.console.sheets import NAME_COLUMNS, Column, Sheet, name_of
from rollbook.console.words import vocabulary_words
from rollbook.store.models import RECORDS, District, Record, Role
from rollbook.store.models.roster import ACTIVE


@dataclass(frozen=True)
class Cell:
    """One value as it is shown. `kind` chooses the markup; `url` makes it a link; `word` is the standard's word beside a plain one."""

    kind: str
    text: str
    url: str = ""
    word: str = ""
    gone: bool = False


@dataclass(frozen=True)
class Row:
    """A record in a table: its cells, each with its column."""

    record: Record
    pairs: list[tuple[Column, Cell]]


@dataclass
class Names:
    """Names of the records a page mentions, by collection and record id, and people's roles. Ask for all first; each is read once."""

    district: District
    people: set[int] = field(default_factory=set)
    roles: dict[int, list[str]] = field(default_factory=dict)
    wanted: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    found: dict[tuple[str, int], Record] = field(default_factory=dict)

    def want(self, collection: str, ids: Iterable[int | None]) -> None:
        self.wanted[collection].update(
            one for one in ids if one is not None and (collection, one) not in self.found
        )

    def look_up(self) -> None:
        """Reads what is wanted and not known yet: one query a collection."""
        for collection, ids in self.wanted.items():
            records = RECORDS[collection]._default_manager.filter(district=self.district, id__in=ids)
            columns = NAME_COLUMNS.get(collection, ())
            for record in records.only("district_id", "id", "sourced_id", "status", *columns):
                self.found[collection, record.id] = record
        self.wanted.clear()
        if self.people:
            self._look_up_roles()

    def _look_up_roles(self) -> None:
        self.roles = {one: [] for one in self.people}
        roles = Role.objects.filter(district=self.district, user_id__in=self.people, status=ACTIVE)
        for one, role in roles.order_by("role_type", "id").values_list("user_id", "role"):
            if role not in self.roles[one]:
                self.roles[one].append(role)

    def cell(self, collection: str, one: int | None) -> Cell:
        """A link to the record, or what says that it is missing."""
        if one is None:
            return Cell("text", "")
        record = self.found.get((collection, one))
        if record is None:
            return Cell("missing", gettext("Not in the roster"))
        return Cell(
            "link", name_of(record), record_url(self.district, collection, one), gone=record.status != ACTIVE
        )


def record_url(district: District, collection: str, one: int) -> str:
    return reverse("record", kwargs={"tenant": district.pk, "collection": collection, "record_id": one})


def want_names(names: Names, columns: Sequence[Column], records: Sequence[Record]) -> None:
    """Asks for what these columns of these records mention."""
    for column in columns:
        if column.kind == "reference" and column.target:
            names.want(column.target, (getattr(record, column.name) for record in records))
        if column.kind == "roles":
            names.people.update(record.id for record in records)


def rows_of(names: Names, sheet: Sheet, columns: Sequence[Column], records: Sequence[Record]) -> list[Row]:
    """The records as rows of a table; their names must have been looked up."""
    return [
        Row(record, [(column, cell_of(names, sheet, column, record)) for column in columns])
        for record in records
    ]


def cell_of(names: Names, sheet: Sheet, column: Column, record: Record) -> Cell:
    if column.kind == "roles":
        return Cell("text", ", ".join(str(vocabulary_words(role)) for role in names.roles.get(record.id, ())))
    value = getattr(record, column.name)
    match column.kind:
        case "self":
            return Cell(
                "self", value or record.sourced_id, record_url(names.district, sheet.collection, record.id)
            )
        case "open":
            url = record_url(names.district, sheet.collection, record.id)
            return Cell("open", gettext("Open"), url, word=record.sourced_id)
        case "reference":
            return names.cell(column.target or "", value)
        case "status":
            return Cell("status", str(vocabulary_words(value)), word=value)
        case "word":
            return word_cell(value)
        case "list":
            return Cell("text", ", ".join(list_of(value)))
        case "date":
            return Cell("text", day(value))
        case _:
            return Cell(column.kind, value or "")


def word_cell(value: str | None) -> Cell:
    return Cell("word", str(vocabulary_words(value)), word=value) if value else Cell("text", "")


def list_of(value: str | None) -> list[str]:
    """The items of a stored list as text; a user id, `{type:identifier}`, reads `type: identifier`."""
    items = json.loads(value) if value else []
    return [
        ": ".join(str(item).strip("{}").split(":", 1)) if "{" in str(item) else str(item) for item in items
    ]


def plain(value: Any) -> str:
    """A value of no particular kind."""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    return "" if value is None else str(value)
