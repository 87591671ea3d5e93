"""What a view shows otherwise than everybody sees is rendered again only where it may differ, and comes to what rendering all of it would."""

import os
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from rollbook.engine.scope import Rule, Treatment, full
from rollbook.flows.apps import add_app
from rollbook.flows.opt_outs import opt_out, withdraw
from rollbook.flows.publish import publish, set_rule
from rollbook.store.models import RECORDS, District, Grant, OptOut, Publication
from tests.installation import ON_POSTGRESQL
from tests.scoping import DRAWN, SIZES, random_roster, random_rule, store
from tests.scoping import _columns as columns

pytestmark = pytest.mark.django_db

LONG = bool(os.environ.get("ROLLBOOK_TEST_LONG"))
STEPS = 150 if LONG else 25
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
    grants = [_grant(district, _rule(random), number) for number in range(4)]
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
