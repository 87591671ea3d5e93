"""What a bench has to say: rows of one shape, printed as a table or as JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from bench.goals import goal_of

NAMES = ("name", "value", "unit", "floor", "ratio", "goal", "holds")


@dataclass(frozen=True)
class Row:
    """One figure. `floor` is in the same unit; `ratio` is what `goal` is about, and `holds` None where nothing is asked."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    goal: str | None = None
    holds: bool | None = None


def row(
    database: str, name: str, value: float, unit: str, floor: float | None = None, ratio: float | None = None
) -> Row:
    """A row of one database, judged by the goal of its name. `ratio` is value ÷ floor unless it is given."""
    if ratio is None and floor:
        ratio = value / floor
    goal = goal_of(name, database)
    holds = goal.holds(ratio) if goal and ratio is not None else None
    return Row(f"{database}: {name}", value, unit, floor, ratio, str(goal) if goal else None, holds)


def as_json(rows: Iterable[Row]) -> str:
    """One JSON array, a row a line."""
    lines = ",\n".join(json.dumps(asdict(one), ensure_ascii=False) for one in rows)
    return f"[\n{lines}\n]"


def from_json(text: str) -> list[Row]:
    return [Row(**one) for one in json.loads(text)]


def as_table(rows: Sequence[Row]) -> str:
    """Columns for a terminal."""
    cells = [("", "value", "unit", "floor", "ratio", "goal", ""), *(_cells(one) for one in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(7)]
    return "\n".join(
        "  ".join(
            text.ljust(width) if place in (0, 2, 5, 6) else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def _cells(one: Row) -> tuple[str, ...]:
    verdict = {True: "holds", False: "FAILS", None: ""}[one.holds]
    ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
    return one.name, number(one.value), one.unit, number(one.floor), ratio, one.goal or "", verdict


def number(value: float | None) -> str:
    """A figure with as many places as mean something."""
    if value is None:
        return ""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
