"""A product's server against a served Rollbook: the lines of the how-to, taken out of it and run, and another's certified library."""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
import requests

from rollbook.generator.riverbend import PATH as RIVERBEND
from tests import cast
from tests.console.reader import OWN, reader_in
from tests.house.source import ROOT
from tests.installation import Installation, fresh_installation

BACK, BYE = "http://127.0.0.1:9/back", "http://127.0.0.1:9/bye"
HOW_TO = ROOT / "docs" / "how-to" / "sign-in-for-products.md"
MOST_STEPS = 15


@dataclass
class Served:
    installation: Installation
    url: str
    client: dict[str, str]

    def product(self, kind: str = "") -> dict[str, Any]:
        """The lines of the how-to as they stand there, with this server's addresses; `kind` is app_ for the client of the app."""
        (lines,) = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
        own = {
            '"https://roster.example.org/openid"': f'"{self.url}/openid"', '"signin-…"': f'"{self.client[f"{kind}id"]}"',
            '"the secret"': f'"{self.client[f"{kind}secret"]}"', '"https://reader.example/back"': f'"{BACK}"',
            '"https://reader.example/bye"': f'"{BYE}"',
        }  # fmt: skip
        for said, is_here in own.items():
            assert lines.count(said) == 1, said
            lines = lines.replace(said, is_here)
        names: dict[str, Any] = {}
        exec(compile(lines, str(HOW_TO), "exec"), names)  # the very lines that a reader copies
        return names


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with fresh_installation() as installation:
        client = reader_in(installation, RIVERBEND, BACK, BYE)
        with installation.serving() as url:
            yield Served(installation, url, client)


def name_of(installation: Installation, sourced_id: str) -> str:
    return str(installation.rows(f"SELECT username FROM store_user WHERE sourced_id = '{sourced_id}'")[0][0])


class Browser:
    """A browser without scripts: follows what it is sent to, until it would leave for the product, and signs in where it is asked."""

    def __init__(self, served: Served, sourced_id: str) -> None:
        self.session, self.served = requests.Session(), served
        self.username = name_of(served.installation, sourced_id)
        self.seen: list[str] = []

    def follow(self, address: str) -> str:
        """Where it would leave to; else the words of the page at which it stays."""
        answer = None
        for _ in range(MOST_STEPS):
            if not address.startswith(self.served.url):
                return address
            self.seen.append(urlsplit(address).path)
            if answer is None:
                answer = self.session.get(address, allow_redirects=False, timeout=20)
            if answer.is_redirect:
                address, answer = urljoin(address, answer.headers["Location"]), None
            elif meta := re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.text):
                address, answer = urljoin(address, html.unescape(meta.group(1))), None
            elif form := re.search(r'action="([^"]+/password)"', answer.text):
                address, answer = self.type(urljoin(address, form.group(1)), answer)
            else:
                return " ".join(re.sub("<[^>]+>", " ", answer.text).split())
        raise AssertionError(self.seen)

    def type(self, address: str, page: requests.Response) -> tuple[str, requests.Response]:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token is not None
        form = {"csrfmiddlewaretoken": token.group(1), "username": self.username, "password": OWN}
        return address, self.session.post(
            address, form, headers={"Referer": address}, allow_redirects=False, timeout=20
        )


def test_the_lines_of_the_how_to_sign_a_pupil_in_by_the_launch_pad_refresh_and_sign_out(served: Served):
    product, kept = served.product(), {}
    browser = Browser(served, cast.AMARA)
    came = browser.follow(product["set_out"](kept, login_hint="launch-pad:1"))
    assert came.startswith(BACK + "?"), came
    claims = product["come_back"](kept, dict(parse_qsl(urlsplit(came).query)))
    assert (claims["sourcedId"], claims["role"]) == (cast.AMARA, "student")
    assert claims["organization"]["name"] == "Riverbend"
    assert product["still_in"](kept)["sub"] == claims["sub"]
    silent = browser.follow(product["set_out"](kept, prompt="none"))
    assert product["come_back"](kept, dict(parse_qsl(urlsplit(silent).query)))["sub"] == claims["sub"]
    assert browser.follow(product["sign_out"](kept)) == BYE
    with pytest.raises(PermissionError, match="invalid_grant"):
        product["still_in"](kept)
    again = browser.follow(product["set_out"](kept, prompt="none"))
    with pytest.raises(PermissionError, match="login_required"):
        product["come_back"](kept, dict(parse_qsl(urlsplit(again).query)))


def test_an_app_signs_in_whoever_the_district_shares_with_it_also_who_is_no_member(served: Served):
    product, kept = served.product("app_"), {}
    browser = Browser(served, cast.LIAM)
    came = browser.follow(product["set_out"](kept))
    claims = product["come_back"](kept, dict(parse_qsl(urlsplit(came).query)))
    assert (claims["district"]["id"], claims["sourcedId"]) == ("1", cast.LIAM)
    assert "organization" not in claims
    assert product["still_in"](kept)["sub"] == claims["sub"]
    again = browser.follow(product["set_out"](kept, prompt="login"))
    assert browser.seen.count("/launch/1/password") == 2
    assert product["come_back"](kept, dict(parse_qsl(urlsplit(again).query)))["sub"] == claims["sub"]
    assert browser.follow(product["sign_out"](kept)) == BYE
    with pytest.raises(PermissionError, match="invalid_grant"):
        product["still_in"](kept)


def test_who_is_no_member_stays_here_and_reads_why(served: Served):
    product = served.product()
    stays = Browser(served, cast.LIAM).follow(product["set_out"]({}))
    assert "You are not signed in" in stays


def test_a_certified_library_signs_a_pupil_in_refreshes_and_signs_out(served: Served):
    node = shutil.which("node")
    assert node, "script/assets brings what the npm lock has; node comes with npm"
    own = (f"{served.url}/openid", served.client["id"], served.client["secret"], BACK, BYE)
    process = subprocess.Popen(
        [node, Path(__file__).parent / "openid_client.mjs", *own], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    browser = Browser(served, cast.LUCIA)
    came = browser.follow(process.stdout.readline().strip())
    assert came.startswith(BACK), came
    told = json.loads(process.communicate(came + "\n", timeout=30)[0])
    assert told["claims"]["sourcedId"] == cast.LUCIA
    assert told["info"]["sub"] == told["again"]["sub"] == told["claims"]["sub"]
    assert told["reused"] == "invalid_grant"
    assert browser.follow(told["out"]) == f"{BYE}?state=s"
