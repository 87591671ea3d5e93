"""Questions: long work that changes nothing, done by a worker as a run: a rehearsal, comparing with a server, trying steps.

What is brought for it goes when it is answered; the answer lies in the run's own folder for a day. Of a rehearsal the report stays.
"""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from rollbook.engine.compare import Compared
from rollbook.engine.preparation.steps import Step, steps_of
from rollbook.engine.preparation.trial import Tried
from rollbook.flows import compare, rehearsals, steps_change
from rollbook.flows.ingest import begin
from rollbook.flows.progress import TakenOver, Teller, note, of, taken
from rollbook.refusal import Refusal
from rollbook.store import shelf
from rollbook.store.models import Connection, District, Run
from rollbook.work_folders import work_folder

REHEARSAL, COMPARISON, TRIAL = FLOWS = ("rehearsal", "comparison", "trial")
KIND = "question"
"""What the task of such a run is called."""

ANSWERED = "answered"
KEPT_FOR = timedelta(days=1)
BROUGHT, ANSWER, TEXT = "brought", "answer", "answer.json"
"""Where a run's folder has what was brought for it, and what came of it."""


class NoSuchQuestion(Refusal):
    """There is no such question, or its answer is no longer kept: ask again."""


def begin_rehearsal(
    connection: Connection, package: Path | None, name: str, on: date, by: str, **about: Any
) -> Run:
    """Asks what a package, or the connection's newest kept delivery, would do on a day. Raises BadDay, NothingToRehearse."""
    rehearsals.refuse_bad_day(connection, on)
    if package is None:
        rehearsals.newest(connection)
    return _begun(connection, REHEARSAL, by, {"on": on.isoformat()}, package, name, about)


def begin_comparison(connection: Connection, package: Path, name: str, by: str, **about: Any) -> Run:
    """Asks what a package and the server of this connection have in common. Raises NotAServer."""
    compare.refuse_no_server(connection)
    return _begun(connection, COMPARISON, by, {}, package, name, about)


def begin_trial(connection: Connection, steps: Sequence[Step], by: str, **about: Any) -> Run:
    """Asks what these steps do to the last delivery that is kept. Raises NothingToTry."""
    steps_change.last_kept(connection)
    return _begun(connection, TRIAL, by, {"steps": [step.as_dict() for step in steps]}, None, "", about)


def find_question(district: District, number: int) -> Run:
    """Raises NoSuchQuestion."""
    found = Run.objects.filter(district=district, flow__in=FLOWS, pk=number).select_related("connection")
    run = found.first()
    if run is None:
        raise NoSuchQuestion(str(number))
    return run


def answer(run: Run) -> None:
    """Does the work, and ends the run with what came of it. Raises what the work refuses, Cancelled, TakenOver."""
    assert run.connection is not None
    tell = Teller(run)
    tell("reading")
    folder = shelf.run_folder(run) / f"attempt-{run.fence}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        with work_folder("question") as work:
            found = WORK[run.flow](_Asked(run, run.connection, work, folder, tell))
        with transaction.atomic():
            (folder / TEXT).write_text(json.dumps(found()), encoding="utf-8")
            _end(run)
            shelf.delete(shelf.run_folder(run) / ANSWER)
            os.replace(folder, shelf.run_folder(run) / ANSWER)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    note(run.pk, "done")
    shelf.delete(shelf.run_folder(run) / BROUGHT)


def answer_of(run: Run) -> Any:
    """What came of it: of a rehearsal the number of its report, else as it is shown. Raises NoSuchQuestion."""
    file = shelf.run_folder(run) / ANSWER / TEXT
    if run.outcome != ANSWERED or not file.exists():
        raise NoSuchQuestion(str(run.pk))
    return json.loads(file.read_text(encoding="utf-8"))


def compared_of(run: Run) -> list[Compared]:
    """What comparing found. Raises NoSuchQuestion."""
    folder = shelf.run_folder(run) / ANSWER
    return [
        Compared(**told | {"files": {outcome: folder / name for outcome, name in told["files"].items()}})
        for told in answer_of(run)
    ]


def forget_answers(district_id: int, now: datetime) -> None:
    """What was answered, or ended otherwise, a day ago goes with all that was brought for it."""
    old = Run.objects.filter(district_id=district_id, flow__in=FLOWS, ended_at__lt=now - KEPT_FOR)
    for run in old:
        shelf.delete(shelf.run_folder(run))
        of(run.pk).delete()
        run.delete()


def _begun(
    connection: Connection, flow: str, by: str, asked: dict[str, Any], brought: Path | None, name: str, about: Any
) -> Run:  # fmt: skip
    """The run, with what was brought in its folder before anybody can see it."""
    called = (Path(name).name or "package.zip") if brought else ""
    task = {"kind": KIND, "name": called, **asked}
    with transaction.atomic():
        run = begin(connection, by, flow=flow, task=task, **about)
        if brought:
            folder = shelf.run_folder(run) / BROUGHT
            folder.mkdir()
            _put(brought, folder / called)
    return run


def _put(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without second names
        shutil.copyfile(source, target)


def _end(run: Run) -> None:
    """Raises TakenOver."""
    run.outcome, run.phase, run.ended_at = ANSWERED, "done", timezone.now()
    if not taken(run).update(outcome=run.outcome, phase=run.phase, ended_at=run.ended_at):
        raise TakenOver(str(run.pk))


# --- The work -----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """A question being answered: `work` is a folder for the time being, what is put into `folder` stays with the answer."""

    run: Run
    connection: Connection
    work: Path
    folder: Path
    tell: Teller

    @property
    def brought(self) -> Path | None:
        folder = shelf.run_folder(self.run) / BROUGHT
        return next(folder.iterdir(), None) if folder.exists() else None


Found = Callable[[], Any]
"""Gives what is told of the answer, in the transaction that ends the run."""


def _rehearsed(asked: _Asked) -> Found:
    task, path, connection = asked.run.task, asked.brought, asked.connection
    on = date.fromisoformat(task["on"])
    report = rehearsals.make_report(connection, path, on, asked.work, asked.tell)
    name = task["name"] if path else ""
    return lambda: rehearsals.keep_report(connection, report, on, asked.run.started_by, name).pk


def _compared(asked: _Asked) -> Found:
    assert asked.brought is not None
    found = compare.compare_with_connection(
        asked.brought, asked.connection, asked.work / "compare", lambda words: asked.tell("fetching")
    )
    for one in found:
        for file in one.files.values():
            shutil.copyfile(file, asked.folder / file.name)
    return lambda: [_told(one) for one in found]


def _told(found: Compared) -> dict[str, Any]:
    return asdict(found) | {"files": {outcome: file.name for outcome, file in found.files.items()}}


def _tried(asked: _Asked) -> Found:
    tried = steps_change.try_on_last(asked.connection, steps_of(asked.run.task["steps"]))
    return lambda: [_shown(one) for one in tried]


def _shown(tried: Tried) -> dict[str, Any]:
    """As the page of the preparation shows it."""
    outcome = tried.outcome
    step = {"title": outcome.step.title, "file": outcome.step.file}
    named = ("number", "rows", "changed", "rest", "unused", "idle")
    return {
        "outcome": {name: getattr(outcome, name) for name in named} | {"step": step},
        "samples": [asdict(sample) for sample in tried.samples],
    }


WORK: dict[str, Callable[[_Asked], Found]] = {
    REHEARSAL: _rehearsed,
    COMPARISON: _compared,
    TRIAL: _tried,
}
