"""Who would lose what by the held parts of a plan: one row a member and hazard, ranked, in one Parquet file. Names are not in it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from rollbook.engine.accepted import PARQUET
from rollbook.engine.reading import reader
from rollbook.engine.sql import literal
from rollbook.engine.sync.draft import words
from rollbook.engine.sync.operations import (
    ACTIVE,
    GROUPS,
    MEMBERS,
    MEMBERSHIPS,
    NEW,
    REMOVALS,
    STATE,
    Operation,
)

LOSSES = "losses.parquet"
MEMORY = "128MB"
COLUMNS = ("hazard", "place", "member", "memberships", "archived", "seat", "administrator")


@dataclass(frozen=True, slots=True)
class Loss:
    """What one member would lose. `place` is where they stand among those whom the hazard touches, from 1."""

    place: int
    member: str
    memberships: int
    archived: bool
    seat: bool
    administrator: bool


@dataclass(frozen=True)
class Memberships:
    """What a directory says, as {member: number}: of these memberships, of those that these members have, and of those in these groups."""

    of: Callable[[Collection[str]], Mapping[str, int]]
    of_members: Callable[[Collection[str]], Mapping[str, int]]
    in_groups: Callable[[Collection[str]], Mapping[str, int]]


@dataclass
class Losses:
    """What the operations that one hazard covers take away, counted while they go by. `powers` are the roles that administer."""

    powers: frozenset[str]
    ended: set[str] = field(default_factory=set)
    archived: dict[str, bool] = field(default_factory=dict)
    administrators: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)

    def take(self, operation: Operation) -> None:
        if operation.kind == MEMBERSHIPS and operation.action in REMOVALS:
            self.ended.add(operation.target)
        elif operation.kind == GROUPS and operation.action in REMOVALS:
            self.groups.add(operation.target)
        elif operation.kind == MEMBERS and not operation.target.startswith(NEW):
            self._take_member(operation)

    def _take_member(self, operation: Operation) -> None:
        member, had = operation.target, self.powers & set(words(operation.before, "roles"))
        self.touched.add(member)
        if operation.action in REMOVALS:
            self.archived[member] = operation.before.get(STATE) == ACTIVE
            if had:
                self.administrators.add(member)
        elif had and "roles" in operation.changed and not self.powers & set(words(operation.after, "roles")):
            self.administrators.add(member)

    def ranked(self, memberships: Memberships) -> list[Loss]:
        """Who would lose the right to administer first, then a seat, then those who are archived, then by memberships."""
        lost = Counter(memberships.of(self.ended) if self.ended else {})
        lost.update(memberships.in_groups(self.groups) if self.groups else {})
        # All that an archived member is in goes along, whatever else names it.
        lost |= Counter(memberships.of_members(self.archived) if self.archived else {})
        found = sorted(self.touched | set(lost), key=lambda one: self._rank(one, lost))
        return [
            Loss(
                place,
                one,
                lost[one],
                one in self.archived,
                self.archived.get(one, False),
                one in self.administrators,
            )
            for place, one in enumerate(found, 1)
        ]

    def _rank(self, member: str, lost: Mapping[str, int]) -> tuple[bool, bool, bool, int, int, str]:
        seat = self.archived.get(member, False)
        return (
            member not in self.administrators, not seat, member not in self.archived, -lost.get(member, 0), len(member), member
        )  # fmt: skip


def write_losses(folder: Path, found: Iterable[tuple[str, Iterable[Loss]]]) -> None:
    """Leaves the file in the folder: of each hazard, by its key, its losses."""
    shape = "hazard VARCHAR, place BIGINT, member VARCHAR, memberships BIGINT, archived BOOLEAN, seat BOOLEAN, administrator BOOLEAN"
    with _reader(folder) as db:
        db.execute(f"CREATE TABLE kept ({shape})")
        for key, losses in found:
            rows = [{"hazard": key} | {name: getattr(one, name) for name in COLUMNS[1:]} for one in losses]
            if rows:
                db.execute(
                    f"INSERT INTO kept SELECT one.* FROM (SELECT unnest(?::STRUCT({shape})[]) AS one)", [rows]
                )
        db.execute(f"COPY (FROM kept ORDER BY hazard, place) TO {literal(str(folder / LOSSES))} {PARQUET}")


def loss_page(path: Path, hazard: str, after: int, limit: int) -> list[Loss]:
    """Those behind the place `after`."""
    with _reader(path.parent) as db:
        found = db.execute(
            f"SELECT {', '.join(COLUMNS[1:])} FROM {_scan(path)} WHERE hazard = ? AND place > ? ORDER BY place LIMIT {int(limit)}",
            [hazard, after],
        ).fetchall()
    return [Loss(*row) for row in found]


def loss_sums(path: Path, hazard: str) -> dict[str, int]:
    """How many members the hazard touches, and how many of these lose each thing."""
    with _reader(path.parent) as db:
        found = db.execute(
            "SELECT count(*), coalesce(sum(memberships), 0), count(*) FILTER (archived), count(*) FILTER (seat),"
            f" count(*) FILTER (administrator) FROM {_scan(path)} WHERE hazard = ?",
            [hazard],
        ).fetchone()
    names = ("members", "memberships", "archived", "seats", "administrators")
    return dict(zip(names, map(int, found or (0,) * len(names)), strict=True))


def contained(path: Path, hazard: str) -> list[str]:
    """The other hazards all of whose members this one touches too."""
    here = f"SELECT member FROM {_scan(path)} WHERE hazard = ?"
    with _reader(path.parent) as db:
        found = db.execute(
            f"SELECT hazard FROM {_scan(path)} WHERE hazard <> ? GROUP BY hazard HAVING bool_and(member IN ({here})) ORDER BY hazard",
            [hazard, hazard],
        ).fetchall()
    return [str(one[0]) for one in found]


def _scan(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"


def _reader(folder: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return reader(MEMORY, 1, folder)
