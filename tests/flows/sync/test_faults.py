"""A school that changes by chance, read from a server that fails by chance: nobody goes whom the true source wants, whatever comes."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, cycle, zip_longest
from typing import Any

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
from tests.flows.sync.organizations import NO_LIMITS, an_organization

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
    for seed in range(at_size(2, 20)):
        chance = random.Random(seed)
        clock = CLOCKS[sorted(CLOCKS)[seed % len(CLOCKS)]]
        source = Source(chance, clock, version=("1.1", "1.2")[seed % 2], marks=bool(seed // 2 % 2))
        with connected_to(source) as (provider, connection):
            assert is_in_step(connection, source)
            for _ in range(at_size(7, 12)):
                one_night(provider, connection, source, next(faults))
            behave(provider)
            assert sync(connection).outcome in GOOD
            assert is_in_step(connection, source), seed
            assert (sync(connection).outcome, seed) == ("empty", seed)


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
