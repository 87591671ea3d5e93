"""What is asked of Rollbook, as one table. A goal is only ever tightened, and then it says by which measurement.

Every goal is a ratio within one run on one machine; what is timed, and against what, is told by the module that times it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A bound on a ratio: `≥` or `≤` a number."""

    sign: str
    bound: float

    def holds(self, ratio: float) -> bool:
        return ratio >= self.bound if self.sign == "≥" else ratio <= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


GOALS: dict[str, Goal] = {
    # Requests a second against the floor's.
    "a page": Goal("≥", 0.5),
    "a page, gzip": Goal("≥", 0.5),
    # Milliseconds against page 0 of the same size.
    "a page at a far offset": Goal("≤", 1.25),
    "a page of the walk with status='active'": Goal("≤", 2),
    "a page far into the walk with sort=familyName": Goal("≤", 2),
    # Requests a second of the full grant against those of the school-limited one.
    "a page of a school-limited grant": Goal("≤", 2),
    # Seconds against the floor's.
    "every enrollment over one connection": Goal("≤", 2),
    # Seconds of working out three schools in ten and half the courses against one bare INSERT … SELECT of the same rows; its pages
    # against the full grant's; how often the rules are worked out, against how many there are.
    "a rule worked out": Goal("≤", 5),
    "a page of a scoped grant": Goal("≤", 1.5),
    "workings of fifty apps with ten rules": Goal("≤", 1),
    # Milliseconds of an administrator's page of members against those of the same page of an organization with 500.
    "a page of members": Goal("≤", 2),
    "a page far into the members": Goal("≤", 2),
    # Wall seconds, and CPU seconds, against DuckDB parsing and hashing the same files.
    "first load": Goal("≤", 30),
    "first load, CPU": Goal("≤", 30),
    "next night": Goal("≤", 12),
    "next night, CPU": Goal("≤", 12),
    "no change": Goal("≤", 5),
    "no change, CPU": Goal("≤", 5),
    # Megabytes against 1,000 of them.
    "peak memory of an import": Goal("≤", 1),
    # Wall seconds, and CPU seconds, of a sync into a directory, against DuckDB parsing and hashing the source's files. Set by the first
    # measurement on an idle machine (2026-11-22, PostgreSQL: 95, 33 and 30 times the floor, 61, 23 and 21 in CPU); one before it, on a
    # busy machine, had a floor twice as slow, and says nothing of ratios.
    "first sync": Goal("≤", 100),
    "first sync, CPU": Goal("≤", 65),
    "a night's sync": Goal("≤", 35),
    "a night's sync, CPU": Goal("≤", 25),
    "a sync without a change": Goal("≤", 32),
    "a sync without a change, CPU": Goal("≤", 23),
    # Rows a second against the 115 of a large learning platform's own import; megabytes against 1,000 of them.
    "rows a second of the first sync": Goal("≥", 100),
    "peak memory of a sync": Goal("≤", 1),
    # Pages a second against half of what a quiet server answers at most; what one reader in a hundred waits, against a quiet server.
    "pages a second while a night is imported": Goal("≥", 0.99),
    "wait of one reader in a hundred while a night is imported": Goal("≤", 3),
    # Seconds of the longest wait of a reader during an import against one second.
    "longest wait of a reader during an import": Goal("≤", 1),
}

REPORTED = ("first load", "next night", "no change", "peak memory of an import", "peak memory of a sync")
"""On SQLite these are reported beside PostgreSQL's, without a goal; its memory counts the pages of the file that are mapped into it."""


def goal_of(name: str, database: str) -> Goal | None:
    """The goal of a row of this name."""
    if database == "SQLite" and name.startswith(REPORTED):
        return None
    return GOALS.get(name)
