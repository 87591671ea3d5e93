"""Severities: what a district counts its warnings for. Every decision is kept, with who, when and why; the latest one of a code holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from rollbook.engine.catalogue import CATALOGUE, CODES, Code
from rollbook.engine.raised import choices
from rollbook.flows import audit
from rollbook.refusal import Refusal
from rollbook.store.models import District, SeverityChange

USUAL = "warning"


class NoSuchCode(Refusal):
    """No finding has this code: docs/reference/findings.md lists them."""


class NotAWarning(Refusal):
    """Only what is a warning as an import can be raised or lowered: what is fatal or an error stays so, and a note too."""


class NotASeverity(Refusal):
    """A warning is raised to error (to fatal, where it is about the package as a whole), lowered to note, or left a warning."""


class WhyNeeded(Refusal):
    """Say why, in a few words: whoever looks at this next year will ask."""


@dataclass(frozen=True)
class Weighed:
    """A code that can be weighed otherwise, what it counts for, and the decision that made it so, if there is one."""

    kind: Code
    severity: str
    choices: tuple[str, ...]
    decision: SeverityChange | None

    @property
    def is_own(self) -> bool:
        return self.severity != USUAL


def severities_of(district: District) -> dict[str, str]:
    """{code: severity} of what the district has raised or lowered, as `judge` takes it."""
    latest = latest_of(district)
    return {
        code: one.severity
        for code, one in latest.items()
        if one.severity in choices(code) and one.severity != USUAL
    }


def latest_of(district: District) -> Mapping[str, SeverityChange]:
    """The decision that holds, by code."""
    return {one.code: one for one in SeverityChange.objects.filter(district=district).order_by("id")}


def weighed(district: District) -> list[Weighed]:
    """Every code that the district may weigh otherwise, in the order of the catalogue."""
    own, latest = severities_of(district), latest_of(district)
    return [
        Weighed(kind, own.get(kind.code, USUAL), choices(kind.code), latest.get(kind.code))
        for kind in CODES
        if choices(kind.code)
    ]


def set_severity(district: District, code: str, severity: str, by: str, why: str) -> SeverityChange:
    """From the next judgement on, findings of this code count for this. Raises NoSuchCode, NotAWarning, NotASeverity, WhyNeeded."""
    if code not in CATALOGUE:
        raise NoSuchCode(code)
    if not choices(code):
        raise NotAWarning(code)
    if severity not in choices(code):
        raise NotASeverity(severity)
    if severity != USUAL and not why.strip():
        raise WhyNeeded(code)
    with transaction.atomic():
        before = {"severity": severities_of(district).get(code, USUAL)}
        change = SeverityChange.objects.create(
            district=district, code=code, severity=severity, by=by, why=why.strip()[:1000]
        )
        after = {"severity": severity, "why": change.why}
        audit.record(district.pk, "severity.change", "finding", code, before=before, after=after)
    return change


def clear_severity(district: District, code: str, by: str, why: str = "") -> SeverityChange:
    """The code is a warning again. Raises NoSuchCode, NotAWarning."""
    return set_severity(district, code, USUAL, by, why)
