"""An installation in which people have to decide: one organization imports by hand, of another a sync is held and in doubt; support is asked."""

from pathlib import Path

from rollbook.flows import administrators, directory, members
from rollbook.flows.sync import connections, helping, holds, own, runs
from rollbook.store.models import SyncConnection
from tests.engine.sync.schools import changed, school, without
from tests.flows.sync.organizations import deliver
from tests.installation import Installation

EMAIL, DESK, PASSWORD = "ines@northwind.example", "desk@reader.example", "seven quiet herons at noon"
IN_ITS_PROCESS = (
    "import sys, pathlib; from tests.console.decided import main; main(pathlib.Path(sys.argv[1]))"
)


def fill(installation: Installation) -> None:
    """In one process of its own: each verb of the command line would cost a start."""
    installation.python("-c", IN_ITS_PROCESS, str(installation.data_dir / "rosters"))


def main(place: Path) -> None:
    """Organizations 1 (Northwind, connection 1) and 2 (Eastwind, connection 2); connection 3 waits for its activation."""
    product = directory.add_product("Reader")
    north, east, west = (
        directory.add_organization(
            product, f"{name} Schools", seats=40, plan="District", domains=["school.example"][:trusts]
        )
        for name, trusts in (("Northwind", 1), ("Eastwind", 0), ("Westwind", 1))
    )
    administrators.employ(product, north, EMAIL, password=PASSWORD)
    administrators.employ(product, east, EMAIL)
    administrators.employ(product, None, DESK, administrators.SUPPORT, password=PASSWORD)
    deliver(place / "north", school())
    doubtful = changed(school(), "users", "t2", identifier="N77")
    deliver(place / "east", doubtful)
    by_hand = connections.connect(
        north,
        "District roster",
        "folder",
        {"path": str(place / "north")},
        settings="teachers-groups",
        changes={"people": {"create": False}},
    )
    connections.activate(by_hand)
    guarded = {
        "limits": {"members": {"floor": 1, "percent": 30, "site_percent": 0}},
        "match": {"email_domains": "verified"},
    }
    held = connections.connect(
        east,
        "District roster",
        "folder",
        {"path": str(place / "east")},
        settings="classes-and-licences",
        changes=guarded,
    )
    connections.activate(held)
    members.add_member(
        east, {"given_name": "Tess", "family_name": "Aimes", "email": "t1@school.example"}, ["teacher"]
    )
    for given in ("Theodore", "Ted"):
        about = {"given_name": given, "family_name": "Bell", "identifier": "N77"}
        members.add_member(east, about, ["teacher"])
    _sync(held)
    deliver(place / "east", without(doubtful, "p1", "p3"))
    _sync(held)
    waits = connections.connect(
        west, "Roster hub", "partner_listing", {"listing": "https://hub.example/apps", "tenant": "4711", "key": "k"},
        settings="everything-in-step",
    )  # fmt: skip
    SyncConnection.objects.filter(pk=waits.pk).update(state="waiting")
    helping.ask(east, EMAIL, "Two of our pupils would be removed. Is that right?", connection=held)


def _sync(connection: SyncConnection) -> None:
    with own.own_process() as process:
        run = own.walk_here(runs.enqueue(connection, EMAIL, process=process), lambda _: None)
        if run.outcome == "previewed":
            own.walk_here(holds.approve(run, EMAIL, process=process), lambda _: None)
    connection.refresh_from_db()
