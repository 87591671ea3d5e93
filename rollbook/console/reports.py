"""The report of an import, collection by collection: what was added, changed and removed, what was wrong, and where to look at each figure."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from rollbook.console.imports import Badge
from rollbook.console.words import COLLECTIONS, SEVERITIES, severity_words
from rollbook.store.found import found_by
from rollbook.store.models import Plan, Run
from rollbook.store.plans import grouped
from rollbook.store.shelf import place

GROUP_MARKS = {
    "added": (_("added"), "green", "added"),
    "changed": (_("changed"), "orange", "changed"),
    "removed": (_("removed"), "red", "removed"),
}
"""A word, a colour and a shape for what a plan does."""

TOLD = ("fatal", "error", "warning")
"""The severities that the report counts; notes stand among the findings."""

Counts = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Figure:
    """A number and what it counts; `url` is where the records behind it are, empty where they are no longer kept."""

    mark: Badge
    url: str


@dataclass(frozen=True)
class Line:
    """One collection: figures of what changed, figures of what was found, both without what is nothing."""

    words: Any
    changes: list[Figure]
    findings: list[Figure]


def report_of(run: Run) -> list[Line]:
    """The collections of which there is something to say; last the files that are none."""
    plan, kept = getattr(run, "plan", None), is_kept(run)
    found = _by_file(run)
    lines = []
    for collection, words in COLLECTIONS.items():
        changes = _changes(run, plan, collection, kept)
        findings = _findings(run, {f"{collection}.csv": found.pop(f"{collection}.csv", {})})
        if changes or findings:
            lines.append(Line(words, changes, findings))
    rest = _findings(run, found)
    return [*lines, Line(_("The package and its other files"), [], rest)] if rest else lines


def is_kept(run: Run) -> bool:
    """Whether the changes of its plan can still be looked at."""
    return hasattr(run, "plan") and place(run.plan.shelf_name).exists()


def group_mark(group: str, number: int) -> Badge:
    words, colour, icon = GROUP_MARKS[group]
    return Badge(words, colour, icon, number)


def _changes(run: Run, plan: Plan | None, collection: str, kept: bool) -> list[Figure]:
    counts = grouped(plan.counts.get(collection, {})) if plan else {}
    listed = reverse("import-changes", args=[run.district_id, run.pk])
    return [
        Figure(
            group_mark(group, number),
            f"{listed}?{urlencode({'collection': collection, 'action': group})}" if kept else "",
        )
        for group, number in counts.items()
    ]


def _by_file(run: Run) -> Counts:
    """{file: {severity: number}}, the unlisted too."""
    counts: Counts = {}
    for one in found_by(run).tallies:
        own = counts.setdefault(one.file, {})
        own[one.severity] = own.get(one.severity, 0) + one.total
    return counts


def _findings(run: Run, counts: Counts) -> list[Figure]:
    figures = []
    for severity in TOLD:
        files = [file for file, own in counts.items() if own.get(severity)]
        number = sum(counts[file][severity] for file in files)
        if number:
            colour, icon = SEVERITIES[severity]
            asked = {"severity": severity, **({"file": files[0]} if len(files) == 1 and files[0] else {})}
            figures.append(
                Figure(
                    Badge(severity_words(severity, number), colour, icon, number), _findings_url(run, asked)
                )
            )
    return figures


def _findings_url(run: Run, asked: dict[str, str]) -> str:
    return f"{reverse('import-findings', args=[run.district_id, run.pk])}?{urlencode(asked)}"
