"""Two organizations with made-up members, made in one process: `python -m bench.make_directories MEMBERS FEW`.

Prints for each its number, the cookie of who administers it and a member deep in its list, as JSON. Run where ROLLBOOK_… name the installation.
"""

import json
import os
import random
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from django.conf import settings  # noqa: E402  # as below
from django.db import connection  # noqa: E402  # as below
from django.test import Client  # noqa: E402  # as below

from rollbook.engine.sync.operations import CREATE, MEMBERS, STATE, Operation, Value  # noqa: E402  # as below
from rollbook.flows import administrators, directory  # noqa: E402  # models can be named only once Django is set up
from rollbook.flows.directory_lists import BY_NAME, HERE  # noqa: E402  # as above
from rollbook.generator.names import LANGUAGES  # noqa: E402  # as above
from rollbook.store.directory import DirectoryTarget  # noqa: E402  # as above
from rollbook.store.models import Member, Organization, Product  # noqa: E402  # as above

SITES = 20
STATES = ("inactive", "active", "inactive", "pending")
FAR = 0.9
SHARES = [language.share for language in LANGUAGES]


def main(members: int, few: int) -> dict[str, dict[str, object]]:
    product = directory.add_product("Bench")
    return {"many": made(product, "Many", members), "few": made(product, "Few", few)}


def made(product: Product, name: str, number: int) -> dict[str, object]:
    organization = directory.add_organization(product, name)
    sites = [directory.add_site(organization, f"School {one + 1:02}") for one in range(SITES)]
    chance = random.Random(1)
    ids = [str(site.id) for site in sites]
    DirectoryTarget(organization, 0).apply([_member(chance, one, ids) for one in range(number)])
    with connection.cursor() as cursor:
        cursor.execute(
            f"ANALYZE {Member._meta.db_table}"
        )  # as a database does by itself, soon after so many rows
    account = administrators.employ(product, organization, f"{name.lower()}@bench.example").account
    client = Client()
    client.force_login(account)
    return {
        "organization": organization.pk,
        "cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}",
        "far": _far(organization, number),
        "site": sites[0].id,
    }


def _member(chance: random.Random, number: int, sites: list[str]) -> Operation:
    language = chance.choices(LANGUAGES, SHARES)[0]
    after: dict[str, Value] = {
        "given_name": chance.choice(language.female)[0],
        "family_name": chance.choice(language.family)[0],
        "email": f"member{number}@bench.example",
        "username": f"member{number}",
        "identifier": f"{number:07}",
        "grade": f"{number % 12 + 1:02}",
        # Whoever administers is rare; everybody else is a pupil or teaches.
        "roles": ("administrator",)
        if number % 1_000 == 1
        else ("teacher",)
        if number % 15 == 0
        else ("student",),
        "sites": (sites[number % SITES],),
        STATE: STATES[number % 4],
    }
    return Operation(number, CREATE, MEMBERS, "", "", after=after, changed=tuple(after))


def _far(organization: Organization, number: int) -> int:
    """The member behind whom nine in ten are."""
    found = Member.objects.filter(organization=organization, state__in=HERE).order_by(BY_NAME, "id")
    far: int = found.values_list("id", flat=True)[int(number * FAR)]
    return far


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
