"""Runs as they are shown: outcome in words, changes by collection, findings by severity."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from rollbook.console.progress import ShownProgress, shown_progress
from rollbook.console.words import ACTIONS, COLLECTIONS, FLOWS, OUTCOMES, PHASES, SEVERITIES, severity_words
from rollbook.store.models import District, Plan, Run

IMPORT_FLOWS = ("ingest", "undo", "manual", "preparation")
COLUMNS = ("create", "update", "delete")
FOLDED_INTO = {"archive": "delete", "restore": "create", "relink": "update"}
"""Actions that a table of three columns counts under another's name."""


@dataclass(frozen=True)
class Badge:
    """A word, a colour and a sign that says the same without colour; `number` where it counts something."""

    words: Any
    colour: str
    icon: str
    number: int = 0


@dataclass(frozen=True)
class ImportRun:
    """A run as it is shown. `changes` is [(collection, [added, changed, removed])]; `headings` name those three."""

    run: Run
    outcome: Badge
    flow: Any
    phase: Any
    findings: list[Badge]
    changes: list[tuple[Any, list[int]]]
    has_plan: bool
    progress: ShownProgress | None

    @property
    def headings(self) -> list[Any]:
        return [ACTIONS[action] for action in COLUMNS]

    @property
    def totals(self) -> list[int]:
        return [sum(counts[column] for _, counts in self.changes) for column in range(len(COLUMNS))]

    @property
    def pairs(self) -> list[tuple[Any, int]]:
        """What changed in all, in words."""
        return list(zip(self.headings, self.totals, strict=True))


def imports_of(district: District) -> QuerySet[Run]:
    """The imports of a district, the latest first."""
    return (
        Run.objects.filter(district=district, flow__in=IMPORT_FLOWS)
        .select_related("plan", "snapshot", "connection")
        .order_by("-started_at", "-id")
    )


def last_import(district: District) -> ImportRun | None:
    """What people did by hand is no import."""
    run = imports_of(district).exclude(flow="manual").first()
    return None if run is None else shown(run)


def shown(run: Run) -> ImportRun:
    """The run in words."""
    outcome = "partly" if run.outcome == "success" and run.findings.get("error") else run.outcome
    words, colour, icon = OUTCOMES.get(outcome, (outcome, "secondary", "info"))
    progress = shown_progress(run)
    if progress and progress.standing.ahead:
        words = PHASES["waiting"]
    plan = getattr(run, "plan", None)
    return ImportRun(
        run=run,
        outcome=Badge(words, colour, icon),
        flow=FLOWS.get(run.flow, run.flow),
        phase=PHASES.get(run.phase, run.phase),
        findings=_findings(run),
        changes=_changes(plan) if plan else [],
        has_plan=plan is not None,
        progress=progress,
    )


def _findings(run: Run) -> list[Badge]:
    return [
        Badge(severity_words(severity, run.findings[severity]), colour, icon, run.findings[severity])
        for severity, (colour, icon) in SEVERITIES.items()
        if run.findings.get(severity)
    ]


def _changes(plan: Plan) -> list[tuple[Any, list[int]]]:
    """By collection, how many are added, changed and removed; collections without a change are left out."""
    changes = []
    for collection, words in COLLECTIONS.items():
        counts = dict.fromkeys(COLUMNS, 0)
        for action, number in plan.counts.get(collection, {}).items():
            column = FOLDED_INTO.get(action, action)
            if column in counts:
                counts[column] += number
        if any(counts.values()):
            changes.append((words, list(counts.values())))
    return changes
