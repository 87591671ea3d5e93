"""What comparing found, as it is shown: each outcome with its count in words and a sign, and the records behind it to download."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy

from rollbook.console.imports import Badge
from rollbook.console.words import COLLECTIONS, field_words
from rollbook.engine.compare import Compared

LARGEST_FILE = 4_000_000
"""Bytes of a file of what was found that is laid into the page; the command has no such bound."""

MARKS = {
    "matched": (gettext_lazy("in both"), "green", "check"),
    "different": (gettext_lazy("differ"), "orange", "changed"),
    "only-first": (gettext_lazy("only in what you brought"), "azure", "added"),
    "only-second": (gettext_lazy("only on the other side"), "red", "removed"),
    "ambiguous": (gettext_lazy("more than one fits"), "yellow", "warning"),
    "held": (gettext_lazy("on broken lines"), "yellow", "stop"),
}


@dataclass(frozen=True)
class Figure:
    """A count; `file` is a data: address of the rows behind it as CSV, empty where there are none or too many."""

    mark: Badge
    file: str
    name: str


@dataclass(frozen=True)
class Shown:
    """One comparison in words."""

    title: Any
    figures: list[Figure]
    fields: list[tuple[Any, int]]
    only_first: str
    only_second: str


def shown_comparison(found: Compared) -> Shown:
    """One comparison in words."""
    figures = []
    for outcome, (words, colour, icon) in MARKS.items():
        if found.counts[outcome]:
            file = found.files.get(outcome)
            figures.append(
                Figure(
                    Badge(words, colour, icon, found.counts[outcome]),
                    _as_data(file),
                    file.name if file else "",
                )
            )
    return Shown(
        COLLECTIONS["users"] if found.title == "people" else COLLECTIONS[found.title],
        figures,
        [(field_words(name), number) for name, number in found.fields.items()],
        ", ".join(found.columns_first),
        ", ".join(found.columns_second),
    )


def _as_data(file: Path | None) -> str:
    if file is None or file.stat().st_size > LARGEST_FILE:
        return ""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(file.read_bytes()).decode()
