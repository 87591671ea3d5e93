"""One page of a collection: search, filters, order, place. Pages are found by seeking behind a record, never by counting past rows.

An address names the record a page begins behind, not its name, so that no address or log line holds a person's name for paging's sake.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce
from django.http import QueryDict

from rollbook.console.sheets import NAME_COLUMNS, SHEETS, Sheet
from rollbook.console.tallies import tally_of
from rollbook.store.columns import fold
from rollbook.store.models import RECORDS, District, Record, Role
from rollbook.store.models.roster import ACTIVE, TOBEDELETED

PAGE = 50
COUNT_LIMIT = 10_000
STATUSES = {"active": ACTIVE, "deleted": TOBEDELETED, "all": None}


@dataclass(frozen=True)
class Question:
    """What is asked of a sheet. `after` and `before` are record ids, `start` the number its first row is shown under."""

    search: str = ""
    status: str = "active"
    kind: str = ""
    sort: str = ""
    descending: bool = False
    narrow: tuple[tuple[str, int], ...] = ()
    after: int | None = None
    before: int | None = None
    start: int = 1

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the status is asked for."""
        return bool(self.search or self.kind or self.narrow)

    def address(self, **changes: Any) -> str:
        """The query string of this question with these changes, without what is the default anyway."""
        asked = replace(self, **changes)
        query = QueryDict(mutable=True)
        sign = "-" if asked.descending else ""
        parts: Mapping[str, Any] = {
            "q": asked.search,
            "status": "" if asked.status == "active" else asked.status,
            "kind": asked.kind,
            "sort": sign + asked.sort if asked.sort else "",
            **dict(asked.narrow),
            "after": asked.after or "",
            "before": asked.before or "",
            "from": asked.start if asked.start > 1 else "",
        }
        query.update({name: str(value) for name, value in parts.items() if value})
        return "?" + query.urlencode()


@dataclass(frozen=True)
class Page:
    """The rows found, the number of the first, how many there are (`more` than that, perhaps), and the pages beside this one."""

    rows: list[Record]
    start: int
    total: int
    more: bool
    next: Question | None
    previous: Question | None

    @property
    def end(self) -> int:
        return self.start + len(self.rows) - 1


def question_from(sheet: Sheet, asked: QueryDict) -> Question:
    """The question an address asks. What it says wrongly counts as not said: a link of yesterday still shows something."""
    sort = asked.get("sort", "")
    field = sort.removeprefix("-")
    known = field in sheet.sorts
    status = asked.get("status", "")
    narrow = ((name, _whole(asked.get(name))) for name, _ in sheet.narrow)
    return Question(
        search=asked.get("q", "").strip()[:200].replace("\0", ""),
        status=status if status in STATUSES else "active",
        kind=asked.get("kind", "")[:100].replace("\0", "") if sheet.kind else "",
        sort=field if known else sheet.order,
        descending=known and sort.startswith("-"),
        narrow=tuple((name, value) for name, value in narrow if value is not None),
        after=_whole(asked.get("after")),
        before=_whole(asked.get("before")),
        start=_whole(asked.get("from")) or 1,
    )


def _whole(text: str | None) -> int | None:
    """A positive whole number that a database column can hold, or None."""
    return int(text) if text and text.isascii() and text.isdecimal() and 0 < len(text) < 19 else None


def page_of(district: District, sheet: Sheet, question: Question) -> Page:
    """The page of `question`."""
    found = matching(district, sheet, question)
    total, more = _count(district, sheet, question, found)
    if question.before is not None:
        rows = _before(sheet, question, found)
        if len(rows) > PAGE:
            return _page(rows[1:], question, total, more, has_next=True, has_previous=True)
        question = replace(question, before=None, after=None, start=1)
    rows = _after(sheet, question, found)
    return _page(rows[:PAGE], question, total, more, len(rows) > PAGE, question.after is not None)


def _page(
    rows: list[Record], asked: Question, total: int, more: bool, has_next: bool, has_previous: bool
) -> Page:
    start = asked.start if has_previous else 1
    onward = replace(asked, before=None, after=rows[-1].id, start=start + len(rows)) if has_next else None
    back = (
        replace(asked, after=None, before=rows[0].id, start=max(start - PAGE, 1))
        if has_previous and rows
        else None
    )
    return Page(rows, start, total, more, onward, back)


def matching(district: District, sheet: Sheet, question: Question) -> QuerySet[Any]:
    """The records that fit the question, in no order."""
    records = sheet.model._default_manager.filter(district=district)
    status = STATUSES[question.status]
    if status is not None:
        records = records.filter(status=status)
    if question.kind and sheet.kind:
        records = records.filter(of_kind(district, sheet, question.kind))
    for name, value in question.narrow:
        records = records.filter(**{dict(sheet.narrow)[name][1]: value})
    for word in question.search.split():
        records = records.filter(_has(district, sheet, word))
    return records


def of_kind(district: District, sheet: Sheet, kind: str) -> Q:
    """The second filter; people are of a kind by their roles, of which they may have several."""
    if sheet.collection == "users":
        roles = Role.objects.filter(district=district, role=kind, status=ACTIVE)
        return Q(id__in=roles.values("user_id"))
    return Q(**{kind_column(sheet): kind})


def kind_column(sheet: Sheet) -> str:
    """The column of the second filter, where it is one."""
    assert sheet.kind is not None
    return next(column.name for column in sheet.columns if column.field == sheet.kind[0])


def _has(district: District, sheet: Sheet, word: str) -> Q:
    """Records that have `word` in any column searched, or name a record that has it in its own."""
    condition = Q(pk__in=[])
    for column in sheet.folded:
        condition |= Q(**{f"{column}__contains": fold(word)})
    for column in sheet.exact:
        condition |= Q(**{f"{column}__icontains": word})
    for column, collection in sheet.through:
        named = _has_name(collection, word)
        ids = RECORDS[collection]._default_manager.filter(named, district=district).values("id")
        condition |= Q(**{f"{column}__in": ids})
    return condition


def _has_name(collection: str, word: str) -> Q:
    condition = Q(sourced_id__icontains=word)
    for column in SHEETS[collection].folded:
        condition |= Q(**{f"{column}__contains": fold(word)})
    return condition


def _count(district: District, sheet: Sheet, question: Question, found: QuerySet[Any]) -> tuple[int, bool]:
    """How many there are, and whether there are more than counted."""
    if not question.is_filtered:
        return tally_of(district).records(sheet.collection, STATUSES[question.status]), False
    counted = found.values("id")[: COUNT_LIMIT + 1].count()
    return min(counted, COUNT_LIMIT), counted > COUNT_LIMIT


def _after(sheet: Sheet, question: Question, found: QuerySet[Any]) -> list[Record]:
    """Up to one more than a page, from behind `after` on."""
    rows = _ordered(sheet, question, found, question.descending)
    return list(_behind(rows, found.model, question.after, question.descending)[: PAGE + 1])


def _before(sheet: Sheet, question: Question, found: QuerySet[Any]) -> list[Record]:
    """Up to one more than a page, ending before `before`."""
    backward = not question.descending
    rows = _ordered(sheet, question, found, backward)
    return list(_behind(rows, found.model, question.before, backward)[: PAGE + 1])[::-1]


def _ordered(sheet: Sheet, question: Question, found: QuerySet[Any], descending: bool) -> QuerySet[Any]:
    key = sheet.sorts[question.sort]
    plain = not question.narrow and not sheet.model._meta.get_field(key).null
    sign = "-" if descending else ""
    rows = found.annotate(sort_key=F(key) if plain else sorted_apart(key))
    return rows.order_by(f"{sign}sort_key", f"{sign}id").only(*columns_to_read(sheet))


def sorted_apart(key: str) -> Coalesce:
    """The key as something no index is in the order of: the few rows of one class are found by their class and then sorted.

    Else a database may walk the whole district in the order asked for, looking for those few.
    """
    return Coalesce(F(key), Value(""), output_field=TextField())


def _behind(rows: QuerySet[Any], model: type[Record], anchor: int | None, descending: bool) -> QuerySet[Any]:
    """The rows behind the anchor in their order; all of them without an anchor, or when it is not among the district's records."""
    if anchor is None:
        return rows
    place = rows.filter(id=anchor).values_list("sort_key", flat=True).first()
    if place is None:
        return rows
    past = "lt" if descending else "gt"
    # Written so that an index on the key can be entered at the place, which `a > x OR (a = x AND b > y)` prevents.
    return rows.filter(**{f"sort_key__{past}e": place}).filter(
        Q(**{f"sort_key__{past}": place}) | Q(**{f"id__{past}": anchor})
    )


def columns_to_read(sheet: Sheet) -> list[str]:
    names = NAME_COLUMNS.get(sheet.collection, ())
    shown = (column.name for column in sheet.columns if column.kind != "roles")
    return ["district_id", "id", "sourced_id", "status", *names, *shown]
