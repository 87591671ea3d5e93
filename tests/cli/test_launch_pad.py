"""`rollbook launch-pad` and `rollbook grant launch`: a launch pad opened, what people come in by handed out, an app's launch date."""

import json
from pathlib import Path
from typing import Any

import pytest

from rollbook.flows.districts import add_district
from rollbook.flows.launching import badges
from rollbook.store.models import District
from tests import cast
from tests.command import rollbook
from tests.console.roster import load_riverbend
from tests.delivered import a_grant

pytestmark = pytest.mark.django_db


@pytest.fixture
def district() -> District:
    made = add_district("Riverbend", "America/Chicago")
    load_riverbend(made)
    return made


def told(*words: str, stdin: str = "", expect: int = 0) -> Any:
    return json.loads(rollbook("launch-pad", *words, "--json", stdin=stdin, expect=expect).output)


def test_a_launch_pad_is_opened_with_rules_and_a_provider_and_closed(district: District):
    assert told("show", "Riverbend")["open"] is False
    assert told("open", "Riverbend")["address"].endswith(f"/launch/{district.pk}")
    assert told("address", "Riverbend", "riverbend")["address"].endswith("/launch/riverbend")
    rule = f"schools={cast.RIVERBEND_ELEMENTARY};grades=03,05;ways=badge"
    kept = told("ways", "Riverbend", "--way", "password", "--rule", rule)
    assert (kept["ways"], kept["rules"][0]["grades"]) == (["password"], ["03", "05"])
    again = rollbook("launch-pad", "ways", "Riverbend", "--way", "password")
    assert again.output.strip() == "People come in by password. Rules for some: 1."
    assert told("ways", "Riverbend", "--no-rules")["rules"] == []
    about = ("--issuer", "https://idp.example", "--client-id", "x", "--secret-stdin", "--on", "--domain", "school.example")  # fmt: skip
    assert told("provider", "Riverbend", "any", *about, stdin="hush\n")["provider"]["on"] is True
    assert "hush" not in rollbook("launch-pad", "show", "Riverbend").output
    assert told("provider", "Riverbend", "--remove")["provider"] is None
    assert told("close", "Riverbend")["open"] is False


def test_what_people_come_in_by_is_handed_out_shown_and_taken_back(district: District, tmp_path: Path):
    [one] = told("badges", "Riverbend", cast.KOFI)
    code = one["address"].partition("#")[2]
    assert badges.badge_of(district.pk, code)
    assert len(told("badges", "Riverbend", "--class", cast.READING_3, "--missing")) > 3
    told("pin", "Riverbend", cast.KOFI, "--stdin", stdin="4821\n")
    told("password", "Riverbend", cast.AMARA, "--stdin", stdin="violet tractor\n")
    assert "/link#" in told("link", "Riverbend", cast.AMARA)["link"]
    [kofi] = told("people", "Riverbend", "--search", cast.KOFI)
    assert (kofi["badge"], kofi["pin"], kofi["password"], kofi["locked"]) == (True, True, False, False)
    assert told("unlock", "Riverbend", cast.KOFI)["unlocked"] is False
    assert told("revoke", "Riverbend", cast.KOFI)["revoked"] is True
    told("reset", "Riverbend", cast.AMARA)
    assert told("people", "Riverbend", "--locked") == []
    [amara] = told("people", "Riverbend", "--search", cast.AMARA)
    assert amara["password"] is False
    file = tmp_path / "first.csv"
    file.write_text(f"sourcedId,password\n{cast.AMARA},violet tractor\nnobody,violet tractor\n")
    lines = told("passwords", "Riverbend", str(file), expect=1)
    assert [one["given"] for one in lines] == [True, False]
    refused = rollbook("launch-pad", "pin", "Riverbend", cast.KOFI, "--stdin", stdin="1234\n", expect=1)
    assert "4 to 6 digits" in refused.output


def test_an_app_has_a_launch_date(district: District):
    grant = str(a_grant(district).pk)
    assert "from the day it is switched on" in rollbook("grant", "launch", grant).output
    answer = json.loads(rollbook("grant", "launch", grant, "--on", "2026-09-01", "--json").output)
    assert answer["launchDate"] == "2026-09-01"
    [row] = told("launches", "Riverbend")
    assert (row["launchDate"], row["launches"]) == ("2026-09-01", 0)
    rollbook("grant", "launch", grant, "--on", "soon", expect=1)
    rollbook("grant", "launch", grant, "--now")
    assert json.loads(rollbook("grant", "show", grant, "--json").output)["launchDate"] > "2026-09-01"
