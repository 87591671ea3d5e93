"""What the stories in the browser presuppose: a district with its roster, a product, and customers of it who have members of their own.

Each is made in one process of an installation: a command for each line would take longer than the story.
"""

import json
from pathlib import Path
from typing import Any

from django.utils import timezone

from rollbook.engine.scope import FULL
from rollbook.flows import administrators, applications, apps, directory, keys, members, operators
from rollbook.flows.districts import add_district
from rollbook.flows.sync import connections, holds, own, runs
from rollbook.generator.riverbend import PATH as RIVERBEND
from rollbook.store.models import District, Organization, Product
from tests.console.conftest import PASSWORD
from tests.delivered import deliver
from tests.engine.sync.schools import school
from tests.flows.sync.organizations import deliver as write_folder
from tests.installation import Installation

BRANDT, INES, NORA, DESK = (
    "brandt@riverbend.example",
    "ines@northwind.example",
    "nora@northwind.example",
    "desk@studio.example",
)
CODE = "import sys; from tests.stories import customers; getattr(customers, sys.argv[1])(*sys.argv[2:])"


def make(installation: Installation, which: str, *arguments: str) -> str:
    """The installation has what the function of this name makes; what that printed."""
    return installation.python("-c", CODE, which, *arguments)


def video_studio(folder: str) -> None:
    """A studio whose customers buy seats; one connected years ago, and has groups named after classes. `folder` has that one's roster."""
    riverbend()
    product = directory.add_product("Video Studio")
    directory.set_app(product, apps.add_app("Video Studio", "Studio Ltd"))
    apps.add_app("Word Orchard", "Orchard Ltd")
    administrators.employ(product, None, DESK, administrators.SUPPORT, password=PASSWORD)
    northwind = customer(product, "Northwind Schools", seats=60)
    directory.add_site(northwind, "Film Club")
    own_member = members.add_member(northwind, named("Vera Lund"), ["administrator"])
    members.activate(own_member, timezone.now())
    older = customer(product, "Harbour Schools", seats=20)
    write_folder(Path(folder), school())
    made = connections.connect(
        older, "Harbour roster", "folder", {"path": folder}, settings="classes-and-licences",
        changes={"classes": {"form": "group"}},
    )  # fmt: skip
    connections.activate(made)
    with own.own_process() as process:
        shown = own.walk_here(runs.enqueue(made, INES, process=process), lambda _: None)
        done = own.walk_here(holds.approve(shown, INES, process=process), lambda _: None)
    if done.outcome != "success":
        raise AssertionError(f"{done.outcome}: {done.message}")


def classroom_visits() -> None:
    """Principals look at lessons with it: schools and teachers. Who buys it for the whole district may have its roster synced."""
    district = riverbend()
    app = apps.add_app("Classroom Visits", "Visits Ltd")
    grant, _ = applications.add_application(district, app, FULL, enabled=True, by=BRANDT)
    key = keys.add_key(grant, name="Northwind")
    product = directory.add_product("Classroom Visits")
    customer(product, "Cedar Valley Schools", plan="School", entitlements=[])
    northwind = customer(
        product, "Northwind Schools", plan="District Premium", entitlements=["rostering", "self-activation"]
    )
    elementary, *_others = [
        directory.add_site(northwind, name)
        for name in ("Riverbend Elementary School", "RHS Campus", "Evening School")
    ]
    administrators.employ(
        product, northwind, NORA, administrators.SITE, sites=[elementary.id], password=PASSWORD
    )
    asa = named("Asa Lindquist", "ALindqvist@riverbend.example")
    members.add_member(northwind, asa, ["teacher"], [elementary])
    for name in ("Ola Berg", "Rolf Dahl"):
        members.add_member(northwind, named(name), ["teacher"], [elementary])
    members.add_member(northwind, named("Vera Lund"), ["administrator"])
    print(json.dumps({"id": key.client_id, "secret": key.client_secret}))


def riverbend() -> District:
    district = add_district("Riverbend Unified School District", "America/Chicago")
    deliver(district, RIVERBEND)
    operators.add_operator(BRANDT, operators.DISTRICT, district, "Helen Brandt", PASSWORD)
    return district


def customer(product: Product, name: str, **about: Any) -> Organization:
    """An organization that Ines administers."""
    made = directory.add_organization(product, name, time_zone="America/Chicago", **about)
    administrators.employ(product, made, INES, name="Ines Ruiz", password=PASSWORD)
    return made


def named(name: str, email: str = "") -> dict[str, str]:
    given, _, family = name.partition(" ")
    return {
        "given_name": given,
        "family_name": family,
        "email": email or f"{given.lower()}@northwind.example",
    }
