"""What validation says: a Finding is data, not an exception. `Findings` collects them, counts them exactly and caps floods."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rollbook.engine.catalogue import CATALOGUE, CONSEQUENCES, SEVERITIES, Code

LISTED = 100
"""How many findings of one code in one file are listed; the rest are counted."""

SHOWN = 60
"""How many characters of a value a finding shows."""

LONGEST_ID = 255
"""Identifiers are shown whole: by them a record is found."""

NEVER_SHOWN = frozenset({"password"})


@dataclass(frozen=True)
class Finding:
    """One thing validation says, with its place. `line` counts from 1 and is 0 where a whole file is meant.

    `source_id` is the sourcedId of the record at fault, `value` the field's, cut to `SHOWN` characters. `count` is how many records it
    speaks of, where one cause has many consequences. `delivered` is what stood in the file where a preparation step made `value` of it.
    """

    code: str
    severity: str
    file: str
    line: int
    field: str
    value: str
    message: str
    source_id: str = ""
    count: int = 1
    delivered: str = ""

    def as_dict(self) -> dict[str, str | int]:
        return asdict(self)


@dataclass(frozen=True)
class Tally:
    """How many findings of one code there are in one file; `listed` of them are told one by one."""

    code: str
    severity: str
    file: str
    total: int
    listed: int


@dataclass
class Findings:
    """All findings of one judgement. By the letter (`lenient` false) a repairable deviation is an error, else a warning.

    `severities` are those that a district gives to warnings (`raised`).
    """

    lenient: bool
    severities: Mapping[str, str] = field(default_factory=dict)
    listed: list[Finding] = field(default_factory=list)
    totals: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(
        self,
        code: str,
        file: str = "",
        line: int = 0,
        field: str = "",
        value: str = "",
        message: str = "",
        source_id: str = "",
        count: int = 1,
    ) -> None:
        """One finding; `count` says how many records it speaks of. However many, it is one in the totals."""
        self.totals[code, file] += 1
        if self._listed_of(code, file) < LISTED:
            kind = CATALOGUE[code]
            self.listed.append(
                Finding(
                    code,
                    self.severity(code),
                    file,
                    line,
                    field,
                    "" if field in NEVER_SHOWN else shown(value),
                    _sentence(message, kind),
                    shown(source_id, LONGEST_ID),
                    count,
                )
            )
            self._seen[code, file] += 1

    def flood(self, code: str, file: str, total: int, sample: Iterable[Finding]) -> None:
        """Many findings of one code in one file: `sample` are the first of them, `total` is how many there are."""
        before = self.totals[code, file]
        for one in sample:
            self.add(code, file, one.line, one.field, one.value, one.message, one.source_id, one.count)
        self.totals[code, file] = before + total

    def severity(self, code: str) -> str:
        severity = CATALOGUE[code].severity_as(self.lenient)
        return self.severities.get(code, severity) if severity == "warning" else severity

    def raised(self) -> list[tuple[str, str]]:
        """(code, file) of the warnings that are more than that here."""
        return [
            (code, file)
            for code, file in self.totals
            if code in self.severities and self.severity(code) in ("fatal", "error")
        ]

    def tallies(self) -> list[Tally]:
        """The exact totals: the gravest first, causes before consequences, then in the order of the catalogue."""
        order = {code: number for number, code in enumerate(CATALOGUE)}
        tallies = [
            Tally(code, self.severity(code), file, total, self._listed_of(code, file))
            for (code, file), total in self.totals.items()
        ]
        return sorted(tallies, key=lambda one: (*_rank(one.code, one.severity), order[one.code], one.file))

    def counts(self) -> dict[str, int]:
        """How many findings of each severity, the unlisted too."""
        by_severity = dict.fromkeys(SEVERITIES, 0)
        for (code, _), total in self.totals.items():
            by_severity[self.severity(code)] += total
        return by_severity

    @property
    def fatal(self) -> bool:
        return self.counts()["fatal"] > 0

    @property
    def failed(self) -> bool:
        """Whether anything is wrong that is not repaired."""
        counts = self.counts()
        return counts["fatal"] + counts["error"] > 0

    def by_code(self) -> list[tuple[Code, str, int, list[Finding]]]:
        """(code, severity, total, listed findings): the most severe first, causes before consequences, then as in the catalogue."""
        totals: Counter[str] = Counter()
        for (code, _), total in self.totals.items():
            totals[code] += total
        order = {code: number for number, code in enumerate(CATALOGUE)}
        groups = [
            (CATALOGUE[code], self.severity(code), total, [one for one in self.listed if one.code == code])
            for code, total in totals.items()
        ]
        return sorted(groups, key=lambda group: (*_rank(group[0].code, group[1]), order[group[0].code]))

    def __iter__(self) -> Iterator[Finding]:
        """The listed findings, the most severe first and causes before consequences; then how many more there are of each capped code."""
        yield from sorted(self.listed, key=lambda one: _rank(one.code, one.severity))
        for (code, file), total in self.totals.items():
            more = total - self._listed_of(code, file)
            if more > 0 and self._listed_of(code, file) >= LISTED:
                words = f"{more:,} more of the same are not listed."
                yield Finding(code, self.severity(code), file, 0, "", "", words, "", more)

    def write(self, path: Path) -> None:
        """All of them, as a JSON array."""
        path.write_text(
            json.dumps([one.as_dict() for one in self], ensure_ascii=False, indent=1), encoding="utf-8"
        )

    def write_tallies(self, path: Path) -> None:
        """The exact totals, and the severities that were a district's own, as a JSON object."""
        told = {"tallies": [asdict(one) for one in self.tallies()], "severities": dict(self.severities)}
        path.write_text(json.dumps(told, indent=1), encoding="utf-8")

    def _listed_of(self, code: str, file: str) -> int:
        return self._seen[code, file]

    def __post_init__(self) -> None:
        self._seen: Counter[tuple[str, str]] = Counter()


def _rank(code: str, severity: str) -> tuple[int, bool]:
    return SEVERITIES.index(severity), code in CONSEQUENCES


def _sentence(message: str, kind: Code) -> str:
    """The message, or what the catalogue says is to be done; a message that ends with a space goes in front of that."""
    return message + kind.remedy if not message or message.endswith(" ") else message


def shown(value: str, longest: int = SHOWN) -> str:
    """`value` on one line and no longer than `longest` characters."""
    plain = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value[: longest + 1]
    )
    return plain if len(plain) <= longest else plain[:longest] + "…"
