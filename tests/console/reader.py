"""A district with a launch pad, and a product whose organization lets its pupils in by it: made in one process of an installation."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rollbook.engine.broker.telling import TELLS
from rollbook.engine.scope import FULL
from rollbook.flows import administrators, apps, directory, members
from rollbook.flows.broker import clients
from rollbook.flows.districts import add_district
from rollbook.flows.launching import pads, passwords
from rollbook.flows.signing_in import providers
from rollbook.store.models import Link, SyncConnection, User
from tests import cast
from tests.console.conftest import PASSWORD
from tests.delivered import a_grant, deliver
from tests.installation import Installation

SAM = "sam@reader.example"
OWN = "violet tractor"
CODE = "import sys; from tests.console.reader import fill; fill(*sys.argv[1:])"


def reader_in(
    installation: Installation, package: Path, back: str, bye: str, hears: str = ""
) -> dict[str, str]:
    """The installation has Riverbend and Reader, of which Amara and Lucía are members; its clients, {id, secret} of the product and
    {app_id, app_secret} of the app.
    """
    made = installation.python("-c", CODE, str(package), back, bye, hears)
    told: dict[str, str] = json.loads(made.splitlines()[-1])
    return told


def fill(package: str, back: str, bye: str, hears: str) -> None:
    """What the process does."""
    now = datetime.now(UTC)
    district = add_district("Riverbend Unified School District", "America/Chicago")
    deliver(district, Path(package))
    pads.switch(district, True)
    for sourced_id in (cast.AMARA, cast.LUCIA, cast.LIAM):
        user = User.objects.get(district=district, sourced_id=sourced_id)
        passwords.give_password(user, OWN, now, must_change=False)
    grant = a_grant(district, FULL, "Reader")
    grant.app.redirect_uris, grant.app.start_url = [back], back
    grant.app.save()
    product = directory.set_app(directory.add_product("Reader"), apps.find_app("Reader"))
    organization = directory.add_organization(product, "Riverbend", seats=2)
    administrators.employ(product, None, SAM, administrators.SUPPORT, password=PASSWORD)
    roster = SyncConnection.objects.create(organization=organization, name="Riverbend", source_kind="rest")
    for sourced_id in (cast.AMARA, cast.LUCIA):
        made = members.add_member(organization, {"given_name": sourced_id}, ["student"])
        Link.objects.create(
            organization=organization, connection=roster, kind="members", source_id=sourced_id, target=str(made.id), linked_at=now
        )  # fmt: skip
    way = providers.add_provider(organization, "launch-pad", tenants=[str(district.pk)], connection=roster)
    providers.switch(way, True)
    given = clients.add_client(product=product, post_logout_uris=[bye], logout_uri=hears, tells=TELLS)
    app = clients.add_client(app=grant.app, post_logout_uris=[bye], tells=TELLS)
    ids = {"id": given.client.client_id, "secret": given.secret}
    print(json.dumps(ids | {"app_id": app.client.client_id, "app_secret": app.secret}))


class Reader(BaseHTTPRequestHandler):
    """A product's pages."""

    def do_GET(self) -> None:
        page = b"<!doctype html><title>Reader</title><h1>Reader</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def its_pages() -> Iterator[str]:
    """Where the product answers while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Reader)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
