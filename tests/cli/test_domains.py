"""`rollbook domains`."""

import json

import pytest

from tests.cli.test_judging import rollbook
from tests.delivered import a_district

pytestmark = pytest.mark.django_db


def test_domains_are_set_shown_and_cleared():
    district = a_district()
    assert "riverbend.example" in rollbook("domains", "set", district.pk, "Riverbend.example", "a.example")
    assert json.loads(rollbook("domains", "list", district.pk, "--json")) == [
        {"domain": "a.example"}, {"domain": "riverbend.example"},
    ]  # fmt: skip
    rollbook("domains", "set", district.pk, "not a domain", expect=1)
    rollbook("domains", "clear", district.pk)
    assert json.loads(rollbook("domains", "list", district.pk, "--json")) == []
