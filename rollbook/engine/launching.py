"""Who may come to a district's launch pad by which way: rules by school and grade, of which the first that fits decides. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

PASSWORD, BADGE, PROVIDER = "password", "badge", "provider"
WAYS = (PASSWORD, BADGE, PROVIDER)


@dataclass(frozen=True)
class WayRule:
    """Who is at one of these schools and in one of these grades comes in by these ways. No schools: any; no grades: any."""

    schools: frozenset[int] = frozenset()
    grades: frozenset[str] = frozenset()
    ways: tuple[str, ...] = field(default=WAYS)

    def fits(self, schools: Iterable[int], grades: Iterable[str]) -> bool:
        at_school = not self.schools or bool(self.schools.intersection(schools))
        return at_school and (not self.grades or bool(self.grades.intersection(grades)))

    def told(self) -> dict[str, Any]:
        """As it is kept and answered."""
        return {"schools": sorted(self.schools), "grades": sorted(self.grades), "ways": list(self.ways)}


def rule_of(told: Mapping[str, Any]) -> WayRule:
    """The rule as it was kept."""
    return WayRule(frozenset(told["schools"]), frozenset(told["grades"]), in_order(told["ways"]))


def in_order(ways: Iterable[str]) -> tuple[str, ...]:
    """The ways among these, in the order in which they are shown."""
    given = set(ways)
    return tuple(way for way in WAYS if way in given)


def ways_of(
    rules: Iterable[WayRule], usual: Iterable[str], schools: Iterable[int], grades: Iterable[str]
) -> tuple[str, ...]:
    """The ways of somebody at these schools and in these grades."""
    schools, grades = frozenset(schools), frozenset(grades)
    found = next((rule for rule in rules if rule.fits(schools, grades)), None)
    return in_order(usual) if found is None else found.ways


def all_ways(rules: Iterable[WayRule], usual: Iterable[str]) -> tuple[str, ...]:
    """The ways by which anybody comes in: what the page offers before it knows who is there."""
    return in_order({*usual, *(way for rule in rules for way in rule.ways)})
