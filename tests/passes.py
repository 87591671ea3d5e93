"""What script/test runs: the pure storeys once, then the others on SQLite and, beside it, on a PostgreSQL of the run's own. Adds up the counts.

Whatever reads or writes a roster runs on both databases. What touches none, or only what is the same on both, runs once.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests import long_report

ROOT = Path(__file__).parent.parent
PURE = (
    "tests/oneroster",
    "tests/engine",
    "tests/generator",
    "tests/house",
    # Verbs that read files and no database.
    "tests/cli/test_generate.py",
    "tests/cli/test_validate.py",
    "tests/cli/test_validate_generated.py",
    # Connectors end in a package and touch no database.
    "tests/connectors/test_openid_connect.py",
    "tests/connectors/test_own_folder.py",
    "tests/connectors/test_partner_listing.py",
    "tests/connectors/test_rest_asking.py",
    "tests/connectors/test_rest_doubts.py",
    "tests/connectors/test_rest_quirks.py",
    "tests/connectors/test_rest_resources.py",
    "tests/connectors/test_rest_values.py",
    "tests/connectors/test_scim.py",
    "tests/connectors/test_sftp_drop.py",
    "tests/connectors/test_sftp_pull.py",
    "tests/sftp/test_inbox.py",
    "tests/test_early.py",
    "tests/test_ending.py",
    "tests/test_environment.py",
    "tests/test_work_folders.py",
)
ON_SQLITE_ALONE = (
    # Forty ways in which a server fails to prove that somebody is gone; what unproved and proved nights do to a roster is asked of
    # both databases by tests/flows/test_fetched_nights.py.
    "tests/connectors/test_rest_faults.py",
    # The same of syncs, at random: it is the source that fails. What a sync does to a directory the others ask of both.
    "tests/flows/sync/test_faults.py",
    # What a browser makes of the pages; what stands in them is asked of both databases by the other tests of the console.
    "tests/console/test_browser.py",
    "tests/console/test_setting_up_browser.py",
    "tests/console/test_directory_browser.py",
    "tests/console/test_rostering_browser.py",
    "tests/console/test_sync_runs_browser.py",
    "tests/console/test_decisions_browser.py",
    "tests/console/test_second_steps_browser.py",
    "tests/console/test_sign_in_browser.py",
    "tests/console/test_refusals_browser.py",
    "tests/console/test_proving_browser.py",
    "tests/console/test_launch_pad_browser.py",
    "tests/console/test_broker_browser.py",
    # A served Rollbook against a product's server; what is decided on the way the other tests of the broker ask of both.
    "tests/console/test_broker_served.py",
    "tests/stories/test_applications.py",
    "tests/stories/test_sign_in.py",
    "tests/stories/test_products_classes_and_licences_browser.py",
    "tests/stories/test_products_teachers_and_schools_browser.py",
    "tests/stories/test_products_everything_in_step_browser.py",
    "tests/stories/test_products_teachers_groups_browser.py",
    # The SSH side of the server. What becomes of what is brought is asked of both by tests/flows/test_drops.py and the stories.
    "tests/sftp",
)
PROCESSES = {1: ("4",), 2: ("3", "2")}
"""For each pass, by how many run at the same time: more than cores, for they often wait for servers and, those of SQLite's, for a browser."""

NO_TESTS = 5  # pytest's exit code for a run that found none


@dataclass(frozen=True)
class Pass:
    """One run of pytest: what it goes under (script/with-postgres, or nothing) and what it is to collect."""

    title: str
    wrapper: list[str]
    targets: list[str]


@dataclass
class Outcome:
    """What one pass came to."""

    passed: int = 0
    failed: int = 0
    sound: bool = True  # pytest came to its end and ran what it should


def main(arguments: list[str]) -> int:
    long = "--long" in arguments
    arguments = [argument for argument in arguments if argument != "--long"]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rollbook-passes-") as folder:
        figures = Path(folder, "figures.jsonl")
        environ = {name: text for name, text in os.environ.items() if not name.startswith("ROLLBOOK_")}
        if long:
            environ |= {"ROLLBOOK_TEST_LONG": "1", "ROLLBOOK_TEST_FIGURES": str(figures)}
        outcomes = [
            outcome
            for number, together in enumerate(turns(passes(arguments), long or is_watched(arguments)))
            for outcome in run_together(together, arguments, environ, Path(folder, str(number)))
        ]
        passed, failed = sum(one.passed for one in outcomes), sum(one.failed for one in outcomes)
        sound = bool(outcomes) and all(one.sound for one in outcomes) and passed > 0
        if long:
            long_report.write(
                figures,
                [one for one in arguments if is_target(one)],
                passed,
                failed,
                time.monotonic() - started,
            )
    print(f"\nAll passes took {time.monotonic() - started:.0f} s.")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 0 if sound and not failed else 1


def passes(arguments: list[str]) -> list[Pass]:
    """The passes that the named paths need."""
    named = [argument for argument in arguments if is_target(argument)] or ["tests"]
    rest = [one for one in named if not is_in(PURE, one)]
    pure = [one for one in named if is_in(PURE, one)] + [place for place in PURE if is_in(tuple(rest), place)]
    both = [one for one in rest if not is_in(ON_SQLITE_ALONE, one)]
    wanted = [Pass("The language, the engine and the house: no database", [], pure)] if pure else []
    if rest:
        wanted.append(Pass("Memory, verbs and doors on SQLite", [], [*rest, *without(PURE)]))
    if both:
        targets = [*both, *without(PURE), *without(ON_SQLITE_ALONE)]
        wanted.append(Pass("Memory, verbs and doors on PostgreSQL", ["script/with-postgres"], targets))
    return wanted


def without(places: tuple[str, ...]) -> list[str]:
    """What keeps pytest from looking there."""
    return [f"--ignore={place}" for place in places]


def is_target(argument: str) -> bool:
    """Whether this argument names tests (a folder, a file, a test in a file) rather than an option or its value."""
    return not argument.startswith("-") and (ROOT / argument.split("::")[0]).exists()


def is_in(places: tuple[str, ...], target: str) -> bool:
    """Whether the named target is one of these files or lies in one of these folders."""
    path = target.split("::")[0].rstrip("/")
    return any(path == place.rstrip("/") or path.startswith(f"{place.rstrip('/')}/") for place in places)


def is_watched(arguments: list[str]) -> bool:
    """Whether somebody looks over the shoulder of one process, or says how many there are to be."""
    return any(argument in ("-s", "--pdb") or argument.startswith("-n") for argument in arguments)


def turns(wanted: list[Pass], one_by_one: bool) -> list[list[Pass]]:
    """Those of a turn run at the same time: the two databases', for each of them often waits."""
    if one_by_one or not wanted or not wanted[-1].wrapper:
        return [[one] for one in wanted]
    return [*([one] for one in wanted[:-2]), wanted[-2:]]


def options(arguments: list[str], processes: str) -> list[str]:
    """Pytest's options, for so many processes."""
    given = [argument for argument in arguments if not is_target(argument)]
    workers = os.environ.get("ROLLBOOK_TEST_WORKERS", processes)
    # In the order of tests/conftest.py, not the files of most tests first: those are the shortest.
    return (
        given
        if is_watched(given)
        else [*given, "-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]
    )


def run_together(
    together: list[Pass], arguments: list[str], environ: dict[str, str], folder: Path
) -> list[Outcome]:
    """What these passes came to, run at the same time. The first is seen as it goes, what another says when those before it ended."""
    folders = [folder / str(number) for number in range(len(together))]
    children: list[subprocess.Popen[bytes]] = []
    outcomes = []
    try:
        for one, place, processes in zip(together, folders, PROCESSES[len(together)], strict=True):
            place.mkdir(parents=True)
            given = options(arguments, processes)
            children.append(start(one, given, environ, place, seen=one is together[0]))
        for one, place, child in zip(together, folders, children, strict=True):
            if one is not together[0]:
                child.wait()
                show(one, place)
            outcomes.append(outcome(child.wait(), place / "counts.json", arguments))
    except (KeyboardInterrupt, SystemExit) as end:
        # Ctrl-C reaches them by itself, SIGTERM is handed on; either way we wait until they have put all away.
        if isinstance(end, SystemExit):
            for child in children:
                child.terminate()
        for child in children:
            child.wait()
        raise
    return outcomes


def start(
    one: Pass, given: list[str], environ: dict[str, str], place: Path, seen: bool
) -> subprocess.Popen[bytes]:
    """The pass under way. Where it is not to be seen, what it says is kept in `place`."""
    command = [*one.wrapper, sys.executable, "-m", "pytest", "-q", *one.targets, *given]
    environ = environ | {"ROLLBOOK_TEST_COUNTS": str(place / "counts.json")}
    if seen:
        print(f"\n══ {one.title}", flush=True)
        return subprocess.Popen(command, cwd=ROOT, env=environ)
    with (place / "said").open("wb") as said:
        return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=said, stderr=subprocess.STDOUT)


def show(one: Pass, place: Path) -> None:
    """What a pass said that was not to be seen."""
    print(f"\n══ {one.title}", flush=True)
    with (place / "said").open(encoding="utf-8", errors="replace") as said:
        shutil.copyfileobj(said, sys.stdout)
    sys.stdout.flush()


def outcome(code: int, counts: Path, arguments: list[str]) -> Outcome:
    """What a pass came to that ended with this exit code and left these counts."""
    if not counts.exists():
        print(f"This pass broke off (exit code {code}).", flush=True)
        return Outcome(failed=1, sound=False)
    count = json.loads(counts.read_text(encoding="ascii"))
    chosen = any(argument.startswith(("-k", "-m")) for argument in arguments)
    if code == NO_TESTS and not chosen:
        print("This pass ran no test.", flush=True)
    return Outcome(
        count["passed"], count["failed"] + count["error"], code in (0, 1) or (code == NO_TESTS and chosen)
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
