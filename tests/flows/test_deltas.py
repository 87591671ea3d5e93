"""Deltas are right whatever happens to permissions: a client that polls by date always holds what a fresh full read would give it.

The client has Deleted records on and begins at any time; between its polls come imports, edits of scope, toggles and fields, and opt-outs.
"""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rollbook.engine.scope import ALL, Choice, Rule, Scope, Treatment, basic, full
from rollbook.flows.opt_outs import opt_out, withdraw
from rollbook.flows.permission_edits import edit_permissions
from rollbook.oneroster.collections import SERVED
from rollbook.oneroster.treatments import fields_of, treatments_of
from rollbook.store.models import District, Grant, OptOut, Org, User
from rollbook.store.visibility import Reader
from tests import cast
from tests.delivered import Record, a_district, a_grant, by_id, deliver, everything, reader_of
from tests.flows.test_follows import some_edits
from tests.installation import ON_POSTGRESQL

pytestmark = pytest.mark.django_db

STEPS = 12
SEED = 1 if ON_POSTGRESQL else 0
"""Each database has days of its own: together they see more than either would see twice."""


@dataclass
class Client:
    """A program that read everything once and has polled since, each collection by itself."""

    grant: Grant
    version: str
    held: dict[str, dict[str, Record]] = field(default_factory=dict)

    @property
    def reader(self) -> Reader:
        return reader_of(self.grant)

    def begin(self) -> "Client":
        self.held = {collection: self.full(collection) for collection in SERVED}
        return self

    def full(self, collection: str) -> dict[str, Record]:
        return by_id(everything(self.reader, f"/{collection}", version=self.version))

    def poll(self, collection: str) -> None:
        known = self.held[collection]
        cursor = max(
            (str(record["dateLastModified"]) for record in known.values()), default="1970-01-01T00:00:00.000Z"
        )
        filter_ = f"dateLastModified>'{cursor}'"
        for record in everything(
            self.reader, f"/{collection}", version=self.version, limit=50, filter=filter_
        ):
            known[record["sourcedId"]] = record

    def is_right(self, collection: str) -> bool:
        return self.held[collection] == self.full(collection)


def test_a_client_that_polls_holds_what_a_full_read_gives(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    district = a_district()
    deliver(district, cast.riverbend(tmp_path / "first"))
    grants = [
        a_grant(district, full(), app="everything"),
        a_grant(district, _rule(chance, district), app="some"),
    ]
    clients: list[Client] = []
    for step in range(STEPS):
        if step % 4 == 0:
            clients += [Client(grant, chance.choice(("1.1", "1.2"))).begin() for grant in grants]
        what = _something_happens(chance, district, grants, tmp_path / str(step))
        for client in clients:
            for collection in chance.sample(SERVED, k=3):
                client.poll(collection)
                assert client.is_right(collection), (
                    SEED,
                    step,
                    what,
                    client.version,
                    client.grant.app.name,
                    collection,
                )
    for client in clients:
        for collection in SERVED:
            client.poll(collection)
            assert client.is_right(collection), (
                SEED,
                "at the end",
                client.version,
                client.grant.app.name,
                collection,
            )


def _something_happens(chance: random.Random, district: District, grants: list[Grant], folder: Path) -> str:
    what = chance.choice(
        ("import", "import", "permissions", "permissions", "permissions", "opt-out", "opt-in")
    )
    if what == "import":
        deliver(district, cast.riverbend(folder, some_edits(chance)))
    elif what == "permissions":
        grant = chance.choice(grants)
        grant.refresh_from_db()
        edit_permissions(grant, _rule(chance, district))
    elif what == "opt-out":
        people = User.objects.filter(district=district, status="active").order_by("id")
        person = chance.choice(list(people.values_list("sourced_id", flat=True)))
        opt_out(district, person, chance.choice([None, *grants]), "a letter")
    else:
        for made in OptOut.objects.filter(district=district, withdrawn_at=None).order_by("id")[:1]:
            withdraw(made)
    return what


def _rule(chance: random.Random, district: District) -> Rule:
    fields = _fields(chance) if chance.random() < 0.6 else ()
    if chance.random() < 0.25:
        return full(guardians=chance.random() < 0.5, fields=fields)
    schools = list(
        Org.objects.filter(district=district, type="school").order_by("id").values_list("id", flat=True)
    )
    some = Choice(ids=tuple(chance.sample(schools, k=chance.randint(0, len(schools)))))
    toggles: dict[str, Any] = {
        name: chance.random() < 0.5
        for name in ("unenrolled", "elsewhere", "demographics", "resources", "guardians")
    }
    return basic(Scope(chance.choice([ALL, some, some]), ALL, **toggles), deleted=True, fields=fields)


def _fields(chance: random.Random) -> tuple[tuple[str, str, Treatment], ...]:
    """Some fields treated somehow, of one collection or of several; and other ids, now and then."""
    chosen = [
        (collection, "sourcedId", Treatment.PSEUDONYMISE)
        for collection in ("users", "enrollments")
        if chance.random() < 0.3
    ]
    for collection in chance.sample(("users", "demographics", "classes", "orgs"), k=chance.randint(1, 2)):
        for name in chance.sample([one for one in fields_of(collection) if one != "sourcedId"], k=2):
            treatment = chance.choice(treatments_of(collection, name)[1:])
            chosen.append((collection, name, Treatment(treatment)))
    return tuple(sorted(chosen))
