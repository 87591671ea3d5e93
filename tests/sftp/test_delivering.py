"""A worker hands a delivery over; one that dies while the app's server says nothing is followed by another, which does."""

import json
import socket
from pathlib import Path

from tests import cast
from tests.connectors.sshd import a_sshd
from tests.installation import fresh_installation
from tests.sftp.dropping import until

SET_UP = """
import json, sys, os, pathlib, django
os.environ["DJANGO_SETTINGS_MODULE"] = "rollbook.settings"
django.setup()
from rollbook.flows import apps, deliveries, exports
from rollbook.flows.districts import add_district
from rollbook.flows.ingest import carry_out, prepare
from rollbook.store.models import Connection
source, settings = json.load(sys.stdin)
district = add_district("Delivered")
carry_out(prepare(Connection.objects.get(district=district), pathlib.Path(source), "a test"))
grant = apps.grant_app(district, apps.add_app("Reading"), "full", [], enabled=True)
exports.set_export(grant, "push", settings, "a test", enabled=True)
deliveries.hand_over(grant, "a test")
"""


def test_a_worker_that_dies_while_it_sends_is_followed_by_one_that_hands_over(tmp_path: Path):
    sshd, incoming = a_sshd(tmp_path / "sshd"), tmp_path / "incoming"
    incoming.mkdir()
    with fresh_installation() as installation, socket.create_server(("127.0.0.1", sshd.port)) as silent:
        source = cast.riverbend(tmp_path / "riverbend")
        settings = {
            "host": "127.0.0.1", "port": str(sshd.port), "login": sshd.login, "path": str(incoming), "host_key": sshd.host_key(),
            "private_key": sshd.client_key, "timeout_seconds": "600",
        }  # fmt: skip
        installation.python("-c", SET_UP, stdin=json.dumps([str(source), settings]))

        def standing() -> tuple[str, str]:
            [row] = installation.rows("SELECT phase, outcome FROM store_delivery", "reading.db")
            return row

        with installation.working() as worker:
            until(lambda: standing() == ("sending", ""))
            worker.kill()
            worker.wait()
        silent.close()
        sshd.start()
        try:
            with installation.working():
                until(lambda: standing() == ("done", "success"))
        finally:
            sshd.stop()
    [package] = incoming.iterdir()
    assert package.name.endswith("-1-bulk.zip")
