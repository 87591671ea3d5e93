"""The browser of the roster: which collections there are, and each as a table that is searched, sorted, filtered and paged."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from rollbook.console.access import Act, in_district
from rollbook.console.browse import Page, Question, page_of, question_from
from rollbook.console.cells import Cell, Names, Row, rows_of, want_names
from rollbook.console.sheets import SHEETS, STATUS, Column, Sheet
from rollbook.console.tallies import tally_of
from rollbook.console.words import field_words, vocabulary_words
from rollbook.store.models import District

STATUS_CHOICES = (("active", _("Active")), ("deleted", _("Deleted")), ("all", _("Active and deleted")))


@dataclass(frozen=True)
class Heading:
    """A column's head. `order` is ascending, descending or none as aria-sort says it; `url` sorts by it, or turns the order round."""

    column: Column
    order: str
    url: str

    @property
    def is_sortable(self) -> bool:
        return bool(self.url)


@in_district(Act.SEE_ROSTER)
def show_collections(request: HttpRequest, district: District) -> HttpResponse:
    tally = tally_of(district)
    sheets = [
        (
            sheet,
            tally.records(name),
            reverse("collection", kwargs={"tenant": district.pk, "collection": name}),
        )
        for name, sheet in SHEETS.items()
    ]
    return render(
        request, "console/roster.html", {"nav": "roster", "sheets": sheets, "is_empty": tally.is_empty}
    )


@in_district(Act.SEE_ROSTER)
def show_collection(request: HttpRequest, district: District, collection: str) -> HttpResponse:
    sheet = SHEETS[collection]
    question = question_from(sheet, request.GET)
    page = page_of(district, sheet, question)
    rows, narrowings = _rows(district, sheet, question, page)
    context = {
        "nav": "roster",
        "sheet": sheet,
        "tabs": list(SHEETS.values()),
        "question": question,
        "page": page,
        "rows": rows,
        "headings": _headings(sheet, question),
        "narrowings": narrowings,
        "statuses": STATUS_CHOICES,
        "kinds": _kinds(sheet, question),
        "kind_words": field_words(sheet.kind[0]) if sheet.kind else "",
        "sorts": _sorts(sheet),
        "sort": ("-" if question.descending else "") + question.sort,
        "next_url": page.next.address() if page.next else "",
        "previous_url": page.previous.address() if page.previous else "",
        "plain_url": question.address(
            search="", kind="", narrow=(), status="all", after=None, before=None, start=1
        ),
        "is_empty": not page.rows and tally_of(district).is_empty,
    }
    swaps = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    answer = render(
        request, "console/collection_results.html" if swaps else "console/collection.html", context
    )
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def _rows(
    district: District, sheet: Sheet, question: Question, page: Page
) -> tuple[list[Row], list[tuple[Cell, str]]]:
    """The rows of the page, and what the list is narrowed to with the address that lifts it. One query a collection named."""
    names = Names(district)
    columns = _columns(sheet, question)
    want_names(names, columns, page.rows)
    narrow = dict(sheet.narrow)
    for name, one in question.narrow:
        names.want(narrow[name][0], [one])
    names.look_up()
    lifted = [(names.cell(narrow[name][0], one), _lift(question, name)) for name, one in question.narrow]
    return rows_of(names, sheet, columns, page.rows), lifted


def _columns(sheet: Sheet, question: Question) -> list[Column]:
    """All columns; the status only where it can differ."""
    return [column for column in sheet.columns if column != STATUS or question.status == "all"]


def _lift(question: Question, name: str) -> str:
    kept = tuple(pair for pair in question.narrow if pair[0] != name)
    return question.address(narrow=kept, after=None, before=None, start=1)


def _headings(sheet: Sheet, question: Question) -> list[Heading]:
    return [_heading(column, question) for column in _columns(sheet, question)]


def _heading(column: Column, question: Question) -> Heading:
    if not column.sort:
        return Heading(column, "", "")
    is_key = question.sort == column.field
    order = "none" if not is_key else "descending" if question.descending else "ascending"
    turned = {"sort": column.field, "descending": is_key and not question.descending}
    return Heading(column, order, question.address(**turned, after=None, before=None, start=1))


def _kinds(sheet: Sheet, question: Question) -> list[tuple[str, Any]]:
    """The choices of the second filter; a word beyond the vocabulary that an address asks for is one too."""
    if sheet.kind is None:
        return []
    words = [*sheet.kind[1].words]
    if question.kind and question.kind not in words:
        words.append(question.kind)
    return sorted(((word, vocabulary_words(word)) for word in words), key=lambda pair: str(pair[1]))


def _sorts(sheet: Sheet) -> list[tuple[str, Any]]:
    """The orders a small screen offers, where the heads of the columns are not seen."""
    sortable = [column for column in sheet.columns if column.sort]
    rising = [(column.field, column.words) for column in sortable]
    falling = [
        (f"-{column.field}", format_lazy(_("{column}, descending"), column=column.words))
        for column in sortable
    ]
    return rising + falling
