"""Findings as people see them: those of a run by code, with exact totals; and the pages that say what each code means."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rollbook.console.imports import Badge
from rollbook.console.words import SEVERITIES, severity_words
from rollbook.engine.catalogue import CATALOGUE, CODES, Code
from rollbook.engine.codes import SEVERITY_MEANING, WHO
from rollbook.engine.findings import Finding, Tally
from rollbook.engine.report import masked
from rollbook.store.found import Found


@dataclass(frozen=True)
class Row:
    """One finding. `place` is its file and line."""

    mark: Badge
    finding: Finding
    title: str
    place: str


@dataclass(frozen=True)
class Group:
    """All findings of one code: how many in which file. `is_own` says that the district gave the code this severity."""

    mark: Badge
    code: str
    title: str
    total: int
    files: list[Tally]
    is_own: bool


@dataclass(frozen=True)
class Choice:
    """One word to narrow by, and whether it is chosen."""

    value: str
    words: Any
    chosen: bool


@dataclass(frozen=True)
class Kind:
    """A code with its marks by the letter and as an import, and who can put it right."""

    code: Code
    letter: Badge
    as_import: Badge
    who: str

    @property
    def differs(self) -> bool:
        return self.letter != self.as_import


@dataclass(frozen=True)
class Chapter:
    """The codes that have one severity as an import."""

    mark: Badge
    meaning: str
    kinds: list[Kind] = field(default_factory=list)


def mark_of(severity: str, number: int = 0) -> Badge:
    """The severity in a word, a colour and a sign; with `number`, how many there are."""
    colour, icon = SEVERITIES[severity]
    return Badge(severity_words(severity, number or 1), colour, icon, number)


def groups_of(found: Found) -> list[Group]:
    """The findings by code, in the order of the tallies."""
    by_code: dict[tuple[str, str], list[Tally]] = {}
    for one in found.tallies:
        by_code.setdefault((one.code, one.severity), []).append(one)
    return [
        Group(
            mark_of(severity),
            code,
            title_of(code),
            sum(one.total for one in tallies),
            tallies,
            code in found.severities,
        )
        for (code, severity), tallies in by_code.items()
    ]


def rows_of(findings: Iterable[Finding]) -> list[Row]:
    """The findings one by one, masked."""
    return [
        Row(
            mark_of(one.severity), one, title_of(one.code), f"{one.file}:{one.line}" if one.line else one.file
        )
        for one in map(masked, findings)
    ]


def title_of(code: str) -> str:
    """A code of an older version may be known no more."""
    return gettext(CATALOGUE[code].title) if code in CATALOGUE else code


def choices_of(found: Found, chosen: dict[str, str]) -> dict[str, list[Choice]]:
    """What a reader may narrow by: the severities, codes and files there are."""
    severities = [one for one in SEVERITIES if any(tally.severity == one for tally in found.tallies)]
    codes = list(dict.fromkeys(one.code for one in found.tallies))
    files = sorted({one.file for one in found.tallies if one.file})
    offered = {
        "severity": [(one, severity_words(one)) for one in severities],
        "code": [(one, title_of(one)) for one in codes],
        "file": [(one, one) for one in files],
    }
    return {
        name: [
            Choice("", _("All"), not chosen[name]),
            *(Choice(one, words, chosen[name] == one) for one, words in pairs),
        ]
        for name, pairs in offered.items()
    }


def kind_of(code: Code) -> Kind:
    return Kind(code, mark_of(code.severity), mark_of(code.severity_as(lenient=True)), gettext(WHO[code.who]))


def chapters() -> list[Chapter]:
    """The whole catalogue, by severity as an import, the gravest first."""
    found = [
        Chapter(
            mark_of(severity),
            gettext(SEVERITY_MEANING[severity]),
            [kind_of(code) for code in CODES if code.severity_as(lenient=True) == severity],
        )
        for severity in SEVERITIES
    ]
    return [chapter for chapter in found if chapter.kinds]
