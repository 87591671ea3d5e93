"""How far a run is: rows done of rows known, told a few times a second, and true in every phase."""

from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connection as database
from django.db import transaction

from rollbook.flows.ingest import apply_run, begin, changes_of, prepare
from rollbook.flows.progress import Teller, of
from rollbook.flows.publish import publish
from rollbook.generator.generate import generate
from rollbook.store.looked import Looked
from rollbook.store.models import Connection, District, Org, Run
from rollbook.store.shelf import place
from rollbook.store.target import apply
from tests.delivered import a_district, a_grant_to, deliver
from tests.engine.packages import orgs, write_package

pytestmark = pytest.mark.django_db


@pytest.fixture
def district() -> District:
    return a_district()


def rows_of(run: Run) -> tuple[str, int, int]:
    row = of(run.pk).get()
    return row.phase, row.done, row.known


def test_of_many_rows_each_tenth_is_told_and_of_few_what_there_was_at_first(district):
    run = begin(Connection.objects.get(district=district), "a test")
    tell = Teller(run)
    told = []
    for done, known in ((0, 0), (0, 50_000), (4_000, 50_000), (9_000, 50_000), (49_000, 50_000)):
        tell("judging", done, known)
        told.append(rows_of(run))
    assert told == [
        ("judging", 0, 0),
        ("judging", 0, 50_000),
        ("judging", 0, 50_000),
        ("judging", 9_000, 50_000),
        ("judging", 49_000, 50_000),
    ]
    tell("planning", 0, 40)
    tell("planning", 39, 40)
    assert rows_of(run) == ("planning", 0, 40)


def test_every_change_that_is_written_is_heard_of_and_no_other(district, tmp_path: Path):
    generate(tmp_path / "first", 60, 7)
    generate(tmp_path / "later", 60, 7, 60)
    connection = Connection.objects.get(district=district)
    for package in (tmp_path / "first", tmp_path / "later"):
        run = prepare(connection, package, "a test").run
        heard: list[int] = []
        with transaction.atomic(), database.cursor() as cursor:
            apply(cursor, connection, place(run.plan.shelf_name), heard.append)
            transaction.set_rollback(True)
        assert sum(heard) == changes_of(run.plan)
        apply_run(run)


def test_publishing_looks_at_all_that_it_said_it_would(district, tmp_path: Path):
    generate(tmp_path / "first", 60, 7)
    deliver(district, tmp_path / "first")
    a_grant_to(district, Org.objects.filter(district=district, type="school").earliest("id").sourced_id)
    heard: list[tuple[int, int]] = []
    publish(district.pk, None, "a look at everything", looked=Looked(lambda *rows: heard.append(rows)))
    done, known = heard[-1]
    assert done == known > 2 * Run.objects.get().plan.counts["users"]["create"]
    assert all(before <= after for (before, _), (after, _) in pairwise(heard))


def test_a_first_publication_is_counted_too(district, tmp_path: Path):
    run = prepare(
        Connection.objects.get(district=district),
        write_package(tmp_path / "p", {"orgs": orgs("a", "b")}),
        "a test",
    ).run
    apply_run(run)
    durations = of(run.pk).get().durations
    assert {"judging", "relating", "planning", "recording", "applying", "publishing"} <= set(durations)
