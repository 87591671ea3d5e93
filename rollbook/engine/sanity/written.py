"""A sanity check's report as CSV: one row a line, and one for each of its examples."""

import csv
import io
from collections.abc import Iterable, Iterator

from rollbook.engine.report import harmless
from rollbook.engine.sanity.check import Report, Told
from rollbook.engine.sanity.lines import WHO

COLUMNS = (
    "group",
    "line",
    "severity",
    "title",
    "count",
    "among",
    "percent",
    "collection",
    "sourcedId",
    "detail",
    "who",
)


def csv_lines(report: Report) -> Iterator[str]:
    """The report behind a header of `COLUMNS`; counts of collections and roles come first. Nobody is named but by sourcedId."""
    yield _line(COLUMNS)
    for collection, number in report.counts.items():
        yield _line(("counts", collection, "", "", str(number), "", "", collection, "", "", ""))
    for role, number in report.roles.items():
        yield _line(("roles", role, "", "", str(number), "", "", "users", "", "", ""))
    for line in report.lines:
        yield _line((*_head(line), "", "", WHO[line.who]))
        for example in line.examples:
            yield _line((*_head(line), example.id, example.said, WHO[line.who]))


def _head(line: Told) -> tuple[str, ...]:
    percent = f"{line.percent:.1f}"
    return (
        line.group,
        line.code,
        line.severity,
        line.title,
        str(line.count),
        str(line.among),
        percent,
        line.collection,
    )


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(map(harmless, cells))
    return written.getvalue()
