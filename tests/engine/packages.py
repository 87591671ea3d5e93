"""Small packages for the engine's tests: those committed in tests/packages, and those made of rows."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rollbook.engine.elsewhere import Belonging, Elsewhere, Owner, Owners
from rollbook.engine.findings import Findings
from rollbook.engine.judgement import judge
from rollbook.engine.plan import PlanSummary, make_plan
from rollbook.engine.preparation.steps import Step, read_steps
from rollbook.oneroster.collections import LOAD_ORDER
from rollbook.oneroster.tables import BINDINGS

COMMITTED = Path(__file__).parent.parent / "packages"
NOTHING_STORED = Path(__file__).parent / "nothing-is-stored-here"
FIRST_IDS = dict.fromkeys(LOAD_ORDER, 1)
DOMAINS = ("riverbend.example",)
"""The e-mail domains of the district of the tests."""

Row = Mapping[str, str]


def package_of(code: str) -> Path:
    """The committed package that shows a finding of this code."""
    folder = COMMITTED / code
    return folder / "package.zip" if (folder / "package.zip").exists() else folder / "package"


def stored_before(code: str, work: Path) -> Path | None:
    """What is stored when the package of this code comes: that of the package beside it, if there is one."""
    before = COMMITTED / code / "before"
    if not before.exists():
        return None
    roster = Roster(work / "before")
    roster.take(before)
    return roster.accepted


def steps_for(code: str) -> tuple[Step, ...]:
    """The steps with which the package of this code is judged."""
    file = COMMITTED / code / "steps.json"
    return read_steps(file.read_text(encoding="utf-8")) if file.exists() else ()


def owners_for(code: str) -> Owners | None:
    """Whose the ids are of the package of this code: of those that `owned.csv` beside it names, by collection and id."""
    file = COMMITTED / code / "owned.csv"
    if not file.exists():
        return None
    owned = {tuple(line.split(",")) for line in file.read_text(encoding="utf-8").split()}

    def owners(collection: str, ids: Sequence[str] | None) -> list[Owner]:
        return [(one, 900, True, "The other SIS") for one in ids or () if (collection, one) in owned]

    return owners


def judged(
    path: Path,
    work: Path,
    lenient: bool = False,
    accepted: Path | None = None,
    steps: Sequence[Step] = (),
    owners: Owners | None = None,
) -> Findings:
    """The findings of a package."""
    folder = work / "judging"
    folder.mkdir()
    with judge(
        path, folder, lenient=lenient, accepted=accepted, domains=DOMAINS, steps=steps, owners=owners
    ) as judgement:
        return judgement.findings


def orgs(*ids: str, **values: str) -> list[Row]:
    return [{"sourcedId": one, "name": f"Org {one}", "type": "school", **values} for one in ids]


def write_package(
    folder: Path, tables: Mapping[str, Iterable[Row]], mode: str = "bulk", version: str = "1.2", **modes: str
) -> Path:
    """A package folder; `modes` are the modes of single files. Columns are the standard's and the rows' metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    binding = BINDINGS[version]
    lines = ["propertyName,value", "manifest.version,1.0", f"oneroster.version,{version}"]
    lines += [
        f"file.{table.name},{modes.get(table.name, mode) if table.name in tables else 'absent'}"
        for table in binding.tables
    ]
    write(folder / "manifest.csv", lines)
    for name, rows in tables.items():
        rows = list(rows)
        own = sorted({column for row in rows for column in row if column.startswith("metadata.")})
        write_table(folder, name, (*binding.table(name).columns, *own), rows)
    return folder


def write_table(folder: Path, name: str, columns: Iterable[str], rows: Iterable[Row]) -> None:
    columns = list(columns)
    lines = [",".join(columns)]
    lines += [",".join(cell(row.get(column, "")) for column in columns) for row in rows]
    write(folder / f"{name}.csv", lines)


def cell(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if any(sign in value for sign in ',"\n') else value


def write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\r\n" for line in lines), encoding="utf-8", newline="")


class Roster:
    """What is stored, as one delivery after another is planned and taken for applied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.accepted = NOTHING_STORED
        self.free = dict(FIRST_IDS)
        self.deliveries = 0
        self.findings = Findings(True)
        self.plan = folder
        self.elsewhere: Elsewhere | None = None
        self.belonging: Belonging | None = None
        self.owners: Owners | None = None

    def take(self, package: Path, only_adds: bool = False, steps: Sequence[Step] = ()) -> PlanSummary:
        """Judges and plans a delivery against what is stored, and stores it."""
        self.deliveries += 1
        out, work = self.folder / f"out-{self.deliveries}", self.folder / f"work-{self.deliveries}"
        work.mkdir(parents=True)
        with judge(
            package,
            work,
            lenient=True,
            accepted=self.accepted,
            elsewhere=self.elsewhere,
            belonging=self.belonging,
            owners=self.owners,
            steps=steps,
        ) as judgement:
            summary = make_plan(judgement, self.accepted, out, self.free, only_adds)
            self.findings = judgement.findings
        for collection, counts in summary.counts.items():
            self.free[collection] += counts.get("create", 0)
        self.accepted, self.plan = out / "accepted", out / "plan.parquet"
        return summary

    def deliver(
        self, tables: Mapping[str, Iterable[Row]], mode: str = "bulk", version: str = "1.2", **modes: str
    ) -> Any:
        """The same, of a package made of rows: {collection: {action: count}}."""
        folder = self.folder / f"package-{self.deliveries + 1}"
        return self.take(write_package(folder, tables, mode, version, **modes)).counts
