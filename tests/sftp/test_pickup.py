"""OpenSSH's `sftp` fetches an app's packages from the running SFTP server: its own, to read, and nothing else."""

import json
from pathlib import Path

import pytest

from tests import cast
from tests.installation import Installation
from tests.sftp.dropping import PASSWORD, Dropped, until

SET_UP = """
import json, sys, os, pathlib, django
os.environ["DJANGO_SETTINGS_MODULE"] = "rollbook.settings"
django.setup()
from rollbook.flows import apps, deliveries, exports
from rollbook.flows.districts import add_district
from rollbook.flows.handing_over import walk
from rollbook.flows.ingest import carry_out, prepare
from rollbook.store.models import Connection
source, password, *logins = json.load(sys.stdin)
district = add_district("Picked up")
carry_out(prepare(Connection.objects.get(district=district), pathlib.Path(source), "a test"))
made = []
for login in logins:
    grant = apps.grant_app(district, apps.add_app(login), "full", [], enabled=True)
    exports.set_export(grant, "pickup", {"login": login, "password": password}, "a test", enabled=True)
    made.append([grant.pk, walk(deliveries.hand_over(grant, "a test").pk).file_name])
print(json.dumps(made))
"""


@pytest.fixture(scope="module")
def packages(
    sftp_installation: tuple[Installation, int], tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[int, str]]:
    """(grant, name of its package) of `reading` and of `counting`, apps of a district that has been imported."""
    installation, _ = sftp_installation
    source = cast.riverbend(tmp_path_factory.mktemp("riverbend") / "package")
    wanted = json.dumps([str(source), PASSWORD, "reading", "counting"])
    return list(json.loads(installation.python("-c", SET_UP, stdin=wanted)))


@pytest.fixture
def app(sftp_installation: tuple[Installation, int]) -> Dropped:
    """The client; as `Dropped` it knows how to sign in."""
    installation, port = sftp_installation
    return Dropped(installation, 0, 0, "reading", port, installation.data_dir / "known_hosts")


def test_an_app_fetches_its_package_and_that_is_noted(
    app: Dropped, packages: list[tuple[int, str]], tmp_path: Path
):
    done = app.sftp("ls -l", f"get {packages[0][1]} {tmp_path}/got.zip")
    assert done.returncode == 0, done.stderr
    assert packages[0][1] in done.stdout
    asked = f"SELECT bytes FROM store_delivery WHERE file_name = '{packages[0][1]}' ORDER BY id LIMIT 1"
    [[size]] = app.installation.rows(asked, "reading.db")
    assert (tmp_path / "got.zip").stat().st_size == size
    noted = "SELECT count(*) FROM store_delivery WHERE picked_up_at IS NOT NULL AND address <> ''"
    until(lambda: app.installation.rows(noted, "reading.db") == [(1,)], 20)


@pytest.mark.parametrize(
    "command",
    [
        "put {file} x.zip",
        "rm {name}",
        "rename {name} x.zip",
        "mkdir x",
        "get /etc/passwd {file}",
        "chmod 777 {name}",
        "ln -s {name} x",
    ],
)
def test_nothing_else_can_be_done_there(
    app: Dropped, packages: list[tuple[int, str]], tmp_path: Path, command: str
):
    file = tmp_path / "file"
    file.write_text("x")
    assert app.sftp(command.format(file=file, name=packages[0][1])).returncode != 0
    assert packages[0][1] in app.sftp("ls").stdout


def test_an_app_that_is_disabled_is_not_let_in(app: Dropped, packages: list[tuple[int, str]]):
    assert app.sftp("ls", login="counting").returncode == 0
    app.installation.rollbook("grant", "disable", str(packages[1][0]))
    assert app.sftp("ls", login="counting").returncode != 0
