"""The REST door through the real server: paths and ids as they travel, OAuth of both kinds, rows written when it ends."""

import gzip
import http.client
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

import pytest
import requests
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256
from oauthlib.oauth1 import Client as Signer

from tests.cast import AMARA, record, riverbend
from tests.installation import Installation, free_port, fresh_installation

AWKWARD = "a/b@c"
V1P1 = "/ims/oneroster/v1p1"
V1P2 = "/ims/oneroster/rostering/v1p2"


@dataclass
class Hub:
    """A served Riverbend with a student of an awkward id, and a key that may read all of it."""

    installation: Installation
    client_id: str
    client_secret: str

    @property
    def url(self) -> str:
        return self.installation.url

    def token(self) -> str:
        answer = requests.post(
            f"{self.url}/oauth2/token", auth=(self.client_id, self.client_secret),
            data={"grant_type": "client_credentials"}, timeout=20,
        )  # fmt: skip
        return str(answer.json()["access_token"])

    def get(self, path: str, token: str, **headers: str) -> requests.Response:
        return requests.get(
            self.url + path, headers={"Authorization": f"Bearer {token}"} | headers, timeout=20
        )

    def signed(self, url: str) -> requests.Response:
        signer = Signer(
            self.client_id, client_secret=self.client_secret, signature_method=SIGNATURE_HMAC_SHA256
        )
        signed, headers, _ = signer.sign(url)
        return requests.get(signed, headers=headers, timeout=20)

    def access_rows(self) -> list[tuple[object, ...]]:
        """(collection, status) of every access row of the key."""
        [[key]] = self.installation.rows(
            f"SELECT id FROM store_credential WHERE client_id = '{self.client_id}'"
        )
        wanted = f"SELECT collection, status FROM store_accessrow WHERE credential_id = {key} ORDER BY id"
        return self.installation.rows(wanted, "reading.db")

    def beside(self) -> "Hub":
        """The same Riverbend by another key, to be served at another port."""
        key = json.loads(self.installation.rollbook("key", "add", "1", "--json").stdout)
        return Hub(
            replace(self.installation, port=free_port(), servers=[]), key["clientId"], key["clientSecret"]
        )


def make_hub(installation: Installation) -> Hub:
    student = {
        **record("users", AMARA),
        "username": "awkward",
        "userMasterIdentifier": "",
        "agentSourcedIds": "",
    }
    del student["sourcedId"]
    role = {
        "userSourcedId": AWKWARD, "roleType": "primary", "role": "student", "beginDate": "", "endDate": "",
        "orgSourcedId": "org-high", "userProfileSourcedId": "", "status": "", "dateLastModified": "",
    }  # fmt: skip
    package = riverbend(
        installation.data_dir / "package", {"users": {AWKWARD: student}, "roles": {"role-awkward": role}}
    )
    installation.rollbook("district", "add", "Riverbend")
    installation.rollbook("import", "1", str(package), "--yes")
    installation.rollbook("app", "add", "Reading App")
    installation.rollbook("grant", "1", "Reading App", "--permission", "full")
    key = json.loads(installation.rollbook("key", "add", "1", "--oauth1", "--json").stdout)
    return Hub(installation, key["clientId"], key["clientSecret"])


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with fresh_installation() as installation:
        made = make_hub(installation)
        with installation.serving(workers=2):
            yield made


@pytest.mark.parametrize("base", [V1P1, V1P2])
def test_an_id_with_a_slash_is_found_and_its_address_leads_back(hub, base):
    token = hub.token()
    answer = hub.get(f"{base}/users/{quote(AWKWARD, safe='')}", token)
    assert (answer.status_code, answer.json()["user"]["sourcedId"]) == (200, AWKWARD)
    assert hub.get(f"{base}/students/{quote(AWKWARD, safe='')}/classes", token).json() == {"classes": []}
    assert hub.get(f"{base}/users/{quote('no/body', safe='')}", token).status_code == 404


def test_a_signature_holds_for_every_spelling_of_the_path(hub):
    for path in (
        "/users/a%2Fb%40c",
        "/users/a%2Fb@c",
        "/users/?limit=3",
        "/users?limit=3&filter=status%3D%27active%27",
    ):
        assert hub.signed(f"{hub.url}{V1P1}{path}").status_code == 200, path


def test_every_page_is_read_by_following_the_links(hub):
    token = hub.token()
    url, seen, total = f"{V1P2}/enrollments?limit=50", [], ""
    while url:
        answer = hub.get(url, token)
        seen += [found["sourcedId"] for found in answer.json()["enrollments"]]
        total = answer.headers["X-Total-Count"]
        following = answer.links.get("next", {}).get("url", "")
        assert not following or following.startswith(hub.url)
        parts = urlsplit(following)
        url = f"{parts.path}?{parts.query}" if following else ""
    assert len(seen) == len(set(seen)) == int(total) == 165


def test_head_sends_no_body_and_keeps_the_connection_in_step(hub):
    token = hub.token()
    parts = urlsplit(hub.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    headers = {"Authorization": f"Bearer {token}"}
    lengths = []
    for method in ("HEAD", "GET", "HEAD", "GET"):
        connection.request(method, f"{V1P1}/users?limit=5", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200
        assert bool(body) == (method == "GET")
        lengths.append(answer.headers["Content-Length"])
    assert len(set(lengths)) == 1
    connection.close()


def test_compressed_and_conditional_answers_travel_well(hub):
    token = hub.token()
    parts = urlsplit(hub.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    connection.request("GET", f"{V1P2}/users", headers=headers)
    answer = connection.getresponse()
    packed = answer.read()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(packed))["users"]) > 50
    connection.request("GET", f"{V1P2}/users", headers=headers | {"If-None-Match": answer.headers["ETag"]})
    again = connection.getresponse()
    assert (again.status, again.read()) == (304, b"")
    connection.request("GET", f"{V1P2}/orgs", headers=headers)
    assert connection.getresponse().status == 200
    connection.close()


def test_a_get_with_a_form_body_is_answered(hub):
    answer = requests.get(
        f"{hub.url}{V1P1}/orgs?limit=1", data={"a": "b"}, headers={"Authorization": f"Bearer {hub.token()}"}, timeout=20
    )  # fmt: skip
    assert (answer.status_code, len(answer.json()["orgs"])) == (200, 1)


def test_many_clients_may_ask_and_sign_at_once(hub):
    statuses: list[int] = []

    def ask() -> None:
        token = hub.token()
        for number in range(10):
            statuses.append(hub.get(f"{V1P2}/users?limit=7&offset={number}", token).status_code)
            statuses.append(hub.signed(f"{hub.url}{V1P1}/users?limit=7&offset={number}").status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 120


def test_an_app_disabled_from_the_command_line_is_refused_by_every_process_at_once(hub):
    token = hub.token()
    assert {hub.get(f"{V1P1}/orgs", token).status_code for _ in range(6)} == {200}
    hub.installation.rollbook("grant", "disable", "1")
    try:
        assert {hub.get(f"{V1P1}/orgs", token).status_code for _ in range(6)} == {403}
        assert hub.signed(f"{hub.url}{V1P1}/orgs").status_code == 403
        refused = requests.post(
            f"{hub.url}/oauth2/token", auth=(hub.client_id, hub.client_secret),
            data={"grant_type": "client_credentials"}, timeout=20,
        )  # fmt: skip
        assert refused.status_code == 403
        assert "access_token" not in refused.json()
    finally:
        hub.installation.rollbook("grant", "enable", "1")
    assert hub.get(f"{V1P1}/orgs", token).status_code == 200


def test_rows_are_written_within_a_second_or_so_and_at_the_end(hub):
    beside = hub.beside()
    with beside.installation.serving():
        token = beside.token()
        beside.get(f"{V1P1}/orgs", token)
        until = time.monotonic() + 60
        while not beside.access_rows() and time.monotonic() < until:
            time.sleep(0.1)
        assert beside.access_rows() == [("orgs", 200)]
        for _ in range(30):
            beside.get(f"{V1P2}/users/nobody", token)
    assert beside.access_rows() == [("orgs", 200), *([("users/{sourcedId}", 404)] * 30)]


def test_the_limit_of_the_installation_is_kept_by_its_processes_together(hub):
    beside = hub.beside()
    with beside.installation.serving(workers=2, ROLLBOOK_RATE_LIMIT="5"):
        token = beside.token()
        first = [beside.get(f"{V1P1}/orgs", token).status_code for _ in range(6)]
        assert first.count(200) in (5, 6), "within half a second neither may know of the other"
        time.sleep(1.5)
        later = [beside.get(f"{V1P1}/orgs", token) for _ in range(8)]
    refused = [answer for answer in later if answer.status_code == 429]
    assert len(refused) >= 7, "one request flows in every twelve seconds"
    assert 0 < int(refused[-1].headers["Retry-After"]) <= 60
