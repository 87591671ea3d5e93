"""A school that changes by chance, read from a server that fails by chance: nobody goes whom the true source wants, whatever comes."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, cycle, zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest

from rollbook.engine.sync.operations import GONE_STATES, GROUPS, MEMBERS
from rollbook.flows.sync import connections, holds, runs
from rollbook.flows.sync.walk import walked
from rollbook.store.linking import links_of
from rollbook.store.models import Group, Member, Membership, ProviderPause, SyncConnection, SyncRun
from tests.connectors.faults import (
    CLOCKS,
    COLLECTIONS,
    HARMFUL,
    HARMLESS,
    PAGE,
    Source,
    behave,
    misbehave,
)
from tests.connectors.provider import CLIENT, SECRET, Provider, serving
from tests.engine.sync.schools import changed, school
from tests.flows.sync.organizations import NO_LIMITS, an_organization, connected, deliver
from tests.installation import ON_POSTGRESQL

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = ("success", "partly", "empty")


@dataclass(frozen=True)
class There:
    """Who and what is in the directory, by sourcedId; memberships as (class, person)."""

    people: frozenset[str]
    classes: frozenset[str]
    memberships: frozenset[tuple[str, str]]

    def gone_since(
        self, before: "There"
    ) -> tuple[frozenset[str], frozenset[str], frozenset[tuple[str, str]]]:
        return (
            before.people - self.people,
            before.classes - self.classes,
            before.memberships - self.memberships,
        )


def there(connection: SyncConnection) -> There:
    links = links_of(connection)
    own = {"organization": connection.organization_id}
    gone = {
        str(one.id) for model in (Member, Group) for one in model.objects.filter(**own, state__in=GONE_STATES)
    }
    people = {link.target: one for one, link in links.of(MEMBERS).items() if link.target not in gone}
    classes = {link.target: one for one, link in links.of(GROUPS).items() if link.target not in gone}
    rows = Membership.objects.filter(**own, state="active").values_list("group_id", "member_id")
    inside = {
        (classes[str(group)], people[str(who)])
        for group, who in rows
        if str(group) in classes and str(who) in people
    }
    return There(frozenset(people.values()), frozenset(classes.values()), frozenset(inside))


@contextmanager
def connected_to(source: Source) -> Iterator[tuple[Provider, SyncConnection]]:
    """A server that has what the source has, and a connection to it that was synced once."""
    with serving(Provider(version=source.version, records=source.records())) as provider:
        filled = {
            "url": str(provider.settings["url"]), "sign_in": "oauth2", "client_id": CLIENT, "client_secret": SECRET,
            "token_url": f"{provider.address}/token", "page_size": str(PAGE),
        }  # fmt: skip
        made = connections.connect(
            an_organization(),
            "Server",
            "oneroster_rest",
            filled,
            settings="classes-and-licences",
            changes={"limits": NO_LIMITS},
        )
        made.source_settings |= {"first_wait": 0.0001, "longest_wait": 0.001}
        made.save()
        connections.activate(made)
        shown = walked(runs.enqueue(made, "somebody"))
        assert walked(holds.approve(shown, "somebody")).outcome == "success", shown.message
        made.refresh_from_db()
        yield provider, made


def sync(connection: SyncConnection, kind: str = runs.FULL, **task: Any) -> SyncRun:
    connection.refresh_from_db()
    return walked(runs.enqueue(connection, "somebody", kind, **task))


def is_in_step(connection: SyncConnection, source: Source) -> bool:
    found = there(connection)
    return found == There(frozenset(source.people), frozenset(source.classes), frozenset(source.memberships))


def test_whatever_a_server_does_nobody_goes_whom_the_true_source_wants(
    at_size: Callable[[int, int], int],
) -> None:
    # The faults of answers first that a night of imports is not tried with (tests/connectors/test_rest_faults.py).
    by_turns = chain.from_iterable(zip_longest(HARMLESS, reversed(HARMFUL)))
    faults = cycle(filter(None, list(by_turns)))
    # Each database has a roster of its own.
    for seed in range(ON_POSTGRESQL, at_size(ON_POSTGRESQL + 1, 20)):
        chance = random.Random(seed)
        clock = CLOCKS[sorted(CLOCKS)[seed % len(CLOCKS)]]
        source = Source(chance, clock, version=("1.2", "1.1")[seed % 2])
        with connected_to(source) as (provider, connection):
            assert is_in_step(connection, source)
            for _ in range(at_size(9, 12)):
                one_night(provider, connection, source, next(faults))
            behave(provider)
            last = let_through(sync(connection))
            assert last.outcome in GOOD, (seed, last.message)
            assert is_in_step(connection, source), seed
            assert (sync(connection).outcome, seed) == ("empty", seed)


def let_through(run: SyncRun) -> SyncRun:
    """A class that would lose its last teacher waits for somebody under any limits: the true source wants it."""
    waiting = holds.holds_of(run, only_open=True)
    assert {one.code for one in waiting} <= {"leaderless"}
    return walked(holds.approve(run, "somebody", "so it is")) if waiting else run


def one_night(provider: Provider, connection: SyncConnection, source: Source, fault: str) -> None:
    chance = source.chance
    for _ in range(chance.randrange(4)):
        source.change()
    provider.records = source.records()
    provider.asked.clear()
    provider.seen.clear()
    collection = chance.choice(COLLECTIONS[3:] if chance.random() < 0.7 else COLLECTIONS)
    spoiling = misbehave(provider, fault, collection, chance)
    before = there(connection)
    kind = chance.choice((runs.FULL, runs.FULL, runs.FULL, runs.DELTA, runs.FOCUS))
    task = (
        {"focus": {"people": sorted(chance.sample(sorted(before.people | source.people), 2))}}
        if kind == runs.FOCUS
        else {}
    )
    run = sync(connection, kind, **task)
    if not spoiling.hits:
        run = let_through(run)
    told = (fault, collection, kind, run.outcome, run.message)
    people, classes, memberships = there(connection).gone_since(before)
    assert not people & source.people, told
    assert not classes & source.classes, told
    assert not memberships & source.memberships, told
    if not run.outcome:
        run = in_the_end(provider, run)
        spoiling.hits = 0
    if kind == runs.FULL:
        assert (run.outcome in GOOD) == (fault in HARMLESS or not spoiling.hits), told
        assert is_in_step(connection, source) or run.outcome not in GOOD, told
    behave(provider)


def in_the_end(provider: Provider, run: SyncRun) -> SyncRun:
    """The run that waits for its server, gone on with when that answers again."""
    assert run.not_before is not None
    behave(provider)
    ProviderPause.objects.all().delete()
    SyncRun.objects.filter(pk=run.pk).update(not_before=None)
    return walked(run)


# --- Files --------------------------------------------------------------------------------------------------------------------------


def _only_its_head(content: bytes) -> bytes:
    return content.splitlines(keepends=True)[0]


def _another_name(content: bytes) -> bytes:
    return content.replace(b"sourcedId", b"SourcedID ", 1)


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _in_utf16(content: bytes) -> bytes:
    return content.decode().encode("utf-16")


def _replaced(content: bytes) -> bytes:
    """Its letters were lost on the way."""
    return (
        content.replace(b"teacher", b"\xff\xfe")
        .replace(b"student", b"\xff\xfe")
        .replace(b"Tess", b"\xff\xfe")
    )


FILE_FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "only its head": _only_its_head,
    "nothing at all": lambda content: b"",
    "another name of a column": _another_name,
    "another encoding": _in_utf16,
    "cut in the middle": _half,
    "letters that were lost": _replaced,
}


HELD_BACK = ("letters that were lost",)
"""Every record is there, and some are held back: they stay as they were."""


def test_a_file_that_was_spoiled_takes_nobody_away_and_the_sync_says_so(tmp_path: Path) -> None:
    deliver(tmp_path, school())
    connection = connected(an_organization(), tmp_path, limits=NO_LIMITS)
    walked(holds.approve(walked(runs.enqueue(connection, "somebody")), "somebody"))
    before = there(connection)
    assert len(before.memberships) == 5
    for (fault, spoil), file in zip(
        FILE_FAULTS.items(), cycle(("users.csv", "enrollments.csv")), strict=False
    ):
        deliver(tmp_path, school())
        (tmp_path / file).write_bytes(spoil((tmp_path / file).read_bytes()))
        run = sync(connection)
        assert there(connection) == before, fault
        assert run.outcome == ("incomplete" if fault not in HELD_BACK else "empty"), (fault, run.message)
        assert run.findings["error"] + run.findings["warning"], fault
    deliver(tmp_path, school())
    (tmp_path / "users.csv").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "users.csv").read_bytes())
    (tmp_path / "enrollments.csv").unlink()
    assert (sync(connection).outcome, there(connection)) == ("incomplete", before)


# --- Clocks -------------------------------------------------------------------------------------------------------------------------


def test_a_delta_reaches_back_behind_a_clock_that_is_slow_and_over_the_turn_of_the_year() -> None:
    source = Source(random.Random(1), CLOCKS["ten minutes slow"])
    with connected_to(source) as (provider, connection):
        newcomers = source.people
        source.join()
        provider.records = source.records()
        assert sync(connection, runs.DELTA).outcome == "success"
        assert there(connection).people == newcomers | source.people
        # The first days of a year, and the last, are not those of a year of weeks.
        for day, asked in (
            ("2024-12-30", "2024-12-29"),
            ("2027-01-01", "2026-12-31"),
            ("2026-06-02", "2026-06-01"),
        ):
            SyncConnection.objects.filter(pk=connection.pk).update(cursor=f"{day}T00:05:00.000Z")
            provider.seen.clear()
            sync(connection, runs.DELTA)
            said = {unquote(target).partition("filter=")[2].partition("&")[0] for target, _ in provider.seen}
            assert said - {""} == {f"dateLastModified>'{asked}T23:50:00.000Z'"}


def test_a_term_is_over_where_its_last_day_is_over_by_the_clock_of_the_organization(tmp_path: Path) -> None:
    zones = {name: ZoneInfo(name) for name in ("Pacific/Kiritimati", "Pacific/Pago_Pago")}
    last = datetime.now(zones["Pacific/Kiritimati"]).date().isoformat()
    deliver(tmp_path, changed(school(), "academicSessions", "year", endDate=last))
    made = {
        zone: walked(runs.enqueue(connected(an_organization(time_zone=zone), tmp_path), "somebody")).counts
        for zone in zones
    }
    assert "groups" not in made["Pacific/Kiritimati"]["operations"]
    assert made["Pacific/Pago_Pago"]["operations"]["groups"] == {"create": 2}
