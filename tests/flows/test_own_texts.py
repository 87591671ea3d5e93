"""What a view shows otherwise than everybody sees is rendered again only where it may differ, and comes to what rendering all of it would."""

import os
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import connection

from rollbook.engine.scope import Rule, Treatment, full
from rollbook.flows.apps import add_app
from rollbook.flows.opt_outs import opt_out, withdraw
from rollbook.flows.permission_edits import edit_permissions
from rollbook.flows.publish import publish, set_rule
from rollbook.store.models import RECORDS, District, Grant, OptOut, Publication
from rollbook.store.models.publication import NUMBER_OF
from tests import cast
from tests.delivered import a_grant, deliver, one, reader_of
from tests.installation import ON_POSTGRESQL
from tests.scoping import DRAWN, SIZES, random_roster, random_rule, store
from tests.scoping import _columns as columns

pytestmark = pytest.mark.django_db

LONG = bool(os.environ.get("ROLLBOOK_TEST_LONG"))
STEPS = 150 if LONG else 12
SEEDS = tuple(range(8)) if LONG else (2, 3) if ON_POSTGRESQL else (0, 1)
FIELDS = (
    ("users", "familyName", Treatment.MASK),
    ("users", "sourcedId", Treatment.PSEUDONYMISE),
    ("enrollments", "metadata", Treatment.OMIT),
    ("courses", "title", Treatment.MASK),
    ("classes", "title", Treatment.PSEUDONYMISE),
    ("demographics", "birthDate", Treatment.MASK),
)
OWNERS = {
    "roles": "user",
    "enrollments": "user",
    "courseResources": "course",
    "classResources": "class",
    "userResources": "user",
}


def _rule(random: Random) -> Rule:
    rule = full(guardians=True) if random.random() < 0.3 else random_rule(random)
    return replace(rule, fields=tuple(random.sample(FIELDS, random.randint(1, 4))))


def _grant(district: District, rule: Rule, number: int) -> Grant:
    grant = Grant(district=district, app=add_app(f"App {district.pk} {number}"), enabled=True)
    set_rule(grant, rule, "a test")
    return grant


def _changed(random: Random, district: District) -> dict[str, set[int]]:
    """Changes some rows as an import would; what was changed, and whose it was before."""
    changed: dict[str, set[int]] = {}
    for collection in random.choices(list(DRAWN), k=random.randint(1, 3)):
        number = random.randint(1, SIZES[collection])
        rows = RECORDS[collection]._default_manager.filter(district=district, id=number)
        owner = OWNERS.get(collection)
        former = rows.values_list(f"{owner}_id", flat=True).first() if owner else None
        kind = "classes" if owner == "class" else f"{owner}s"
        if former and collection in OWNERS:
            changed.setdefault(kind, set()).add(former)
        values: dict[str, Any] = columns(collection, DRAWN[collection](random, number))
        values.pop("user_id", None) if collection == "demographics" else None
        values["status"] = "active" if random.random() < 0.8 else "tobedeleted"
        rows.update(**values)
        changed.setdefault(collection, set()).add(number)
    return changed


def _written(publication: Publication) -> list[tuple[str, str]]:
    """Which views changed, and in which collections."""
    return [
        (view, collection)
        for view, collections in publication.state.items()
        for collection, entry in collections.items()
        if entry[1] == publication.number
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_left_to_render_whatever_changed(seed: int) -> None:
    random = Random(seed)
    district = District.objects.create(id=4_000_000 + seed, name=f"Texts {seed}")
    store(district, random_roster(random))
    publish(district.pk, None, "first")
    grants = [_grant(district, _rule(random), number) for number in range(3)]
    for step in range(STEPS):
        happened = random.random()
        if happened < 0.7:
            publish(district.pk, changed := _changed(random, district), "some")
            what: Any = changed
        elif happened < 0.8:
            set_rule(random.choice(grants), _rule(random), "edited")
            what = "edited"
        elif happened < 0.9:
            opt_out(
                district, f"U{random.randint(1, SIZES['users'])}", random.choice([None, *grants]), "a letter"
            )
            what = "opted out"
        else:
            for made in OptOut.objects.filter(district=district, withdrawn_at=None).order_by("id")[:1]:
                withdraw(made)
            what = "opted in"
        left = publish(district.pk, None, "everything")
        assert left is None, (seed, step, what, left and _written(left))


def test_a_mask_costs_what_changed_and_all_only_when_it_is_another(
    riverbend: District, tmp_path: Path
) -> None:
    district = riverbend
    grant = a_grant(district, full(fields=(("users", "familyName", Treatment.MASK),)))
    deliver(district, cast.riverbend(tmp_path / "second"))
    deliver(district, cast.riverbend(tmp_path / "third", {"users": {cast.KOFI: {"givenName": "Kofi Kwame"}}}))
    assert _looked_at() == 1
    assert one(reader_of(grant), "/users/{sourcedId}", cast.KOFI)["givenName"] == "Kofi Kwame"
    edit_permissions(grant, full(fields=(("users", "givenName", Treatment.MASK),)))
    assert _looked_at() == 0, "then all are"
    assert one(reader_of(grant), "/users/{sourcedId}", cast.KOFI)["givenName"] != "Kofi Kwame"


def _looked_at() -> int:
    """How many people the last publication looked at in the view it brought up last, where it did not look at all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM looked_at WHERE collection = %s", [NUMBER_OF["users"]])
        return int(cursor.fetchone()[0])
