"""Fixtures that every test may use: both databases, an installation of one's own, a browser, sizes and the long report."""

import gc
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.management.commands import flush
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django import Settings

from rollbook.store import pages
from rollbook.store.models import District
from rollbook.store.routers import homes
from tests import cast
from tests.connectors.sshd import Sshd, a_sshd
from tests.delivered import a_district, deliver
from tests.installation import (
    ON_POSTGRESQL,
    Installation,
    copy_database,
    fresh_installation,
    run_sql,
    template,
)
from tests.kept import full_tables, kept

LONG = os.environ.get("ROLLBOOK_TEST_LONG") == "1"
DATABASES = ["default", "reading"]
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
LONGEST = (
    "tests/bench/",
    "tests/sftp/",
    "tests/stories/",
    "tests/console/test_browser.py",
    "tests/console/test_setting_up_browser.py",
    "tests/console/test_decisions_browser.py",
    "tests/console/test_directory_browser.py",
    "tests/console/test_rostering_browser.py",
    "tests/console/test_sync_runs_browser.py",
    "tests/api/test_serving.py",
    "tests/connectors/",
    "tests/flows/",
)
"""These go first where processes share the files, so that none sits alone over a long one at the end."""


def pytest_report_header() -> str:
    return f"database: {'PostgreSQL' if ON_POSTGRESQL else 'SQLite'}, sizes: {'long' if LONG else 'small'}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests wait for --long; a test that may use the database may use both of its aliases."""
    waiting = [item for item in items if item.get_closest_marker("long") and not LONG]
    if waiting:
        config.hook.pytest_deselected(items=waiting)
        items[:] = [item for item in items if item not in waiting]
    for item in items:
        for marker in item.iter_markers("django_db"):
            marker.kwargs.setdefault("databases", DATABASES)  # type: ignore[attr-defined]  # a dict, whatever its annotation says
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & {"db", "transactional_db"} and not item.get_closest_marker("django_db"):
            item.add_marker(
                pytest.mark.django_db(databases=DATABASES, transaction="transactional_db" in fixtures)
            )
    if hasattr(config, "workerinput"):
        items.sort(key=turn)


def pytest_collection_finish() -> None:
    """What is there now stays to the end of the process: the collector need not go through thousands of tests and modules again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_sessionfinish() -> None:
    gc.unfreeze()


def turn(item: pytest.Item) -> int:
    """The place of the item's file among the longest; all others come after these, in their own order."""
    return next((place for place, path in enumerate(LONGEST) if item.nodeid.startswith(path)), len(LONGEST))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Leaves the counts of this pass where tests/passes.py adds them up."""
    file = os.environ.get("ROLLBOOK_TEST_COUNTS")
    if file and not hasattr(terminalreporter.config, "workerinput"):
        count = {
            kind: len(terminalreporter.stats.get(kind, ()))
            for kind in ("passed", "failed", "error", "skipped")
        }
        Path(file).write_text(json.dumps(count), encoding="ascii")


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An OpenSSH server of the module's own."""
    server = a_sshd(tmp_path_factory.mktemp("sshd") / "server")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings_parallel_suffix: None
) -> Iterator[None]:
    """Copies of the run's migrated database, one a process; on PostgreSQL dropped at the end.

    In the place of pytest-django's own, which goes through all migrations once more, in every process.
    """
    names = {alias: connections[alias].creation._get_test_db_name() for alias in homes()}
    if ON_POSTGRESQL:
        copy_database(names["default"], template())
    else:
        for alias, name in names.items():
            shutil.copy(Path(template(), Path(connections[alias].settings_dict["NAME"]).name), name)
    for connection in connections.all():
        connection.close()
        connection.settings_dict["NAME"] = names.get(connection.alias, names["default"])
    yield
    let_go()
    if ON_POSTGRESQL:
        run_sql("DROP DATABASE {} WITH (FORCE)", names["default"])


def let_go() -> None:
    for connection in connections.all():
        connection.close()
        if connection.vendor == "postgresql":
            connection.close_pool()


@pytest.fixture(scope="session", autouse=True)
def passwords_cost_little() -> None:
    """Argon2 as always, with the least work it knows: at its full cost, each test's operator would take as long as the test."""
    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = (
        1,
        8,
        1,
    )


@pytest.fixture(scope="session", autouse=True)
def only_what_was_filled_is_emptied() -> Iterator[None]:
    """Behind a test that commits, Django empties all hundred tables and writes anew what migrating had put into two of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", _emptying)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)
        yield


def _emptying(_style: object, connection: BaseDatabaseWrapper, **_: object) -> list[str]:
    """Statements that empty the tables with rows. References are looked at when they have all run."""
    return [f"DELETE FROM {connection.ops.quote_name(table)}" for table in full_tables(connection)]


@pytest.fixture(autouse=True)
def no_publications_of_other_tests() -> None:
    """Publications never change, so readers keep them in memory; but a test's districts are made again under the same ids."""
    pages.forget_publications()


@pytest.fixture(autouse=True)
def a_shelf_of_its_own(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Files are kept by district id, and the districts of two tests may have the same."""
    settings.DATA_DIR = tmp_path_factory.mktemp("data")


def first_delivery(folder: Path) -> District:
    district = a_district()
    deliver(district, cast.riverbend(folder / "first"))
    return District.objects.get(pk=district.pk)


riverbend = kept(first_delivery)
"""Riverbend as its first delivery left it."""


@pytest.fixture
def installation() -> Iterator[Installation]:
    """A migrated Rollbook of this test's own; `fresh_installation` in tests/installation.py makes one for a whole module."""
    with fresh_installation() as fresh:
        yield fresh


@pytest.fixture
def serving(installation: Installation) -> Iterator[str]:
    """The address of the real server over `installation`."""
    with installation.serving() as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, best without its windows, or the one Playwright brought where there is no such package."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    switches = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=switches)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a context of its own: no cookies, English, 1280 × 800."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def at_size() -> Callable[[int, int], int]:
    """`at_size(small, long)`: the size this run uses."""
    return lambda small, long: long if LONG else small


@pytest.fixture
def long_report(request: pytest.FixtureRequest) -> Callable[[str, float, str], None]:
    """`long_report(name, value, unit)`: a figure for docs/long-report.md; kept only by script/test --long."""
    file = os.environ.get("ROLLBOOK_TEST_FIGURES")

    def keep(name: str, value: float, unit: str) -> None:
        if file:
            database = "PostgreSQL" if ON_POSTGRESQL else "SQLite"
            row = {
                "test": request.node.nodeid,
                "database": database,
                "name": name,
                "value": value,
                "unit": unit,
            }
            with open(file, "a", encoding="utf-8") as figures:
                figures.write(json.dumps(row) + "\n")

    return keep
