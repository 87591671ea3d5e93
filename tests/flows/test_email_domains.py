"""Where the addresses of a district's people are: said by a person, used in judging."""

from pathlib import Path

import pytest

from rollbook.flows.email_domains import NotADomain, domains_of, set_domains
from rollbook.store.found import found_by
from rollbook.store.models import EmailDomain
from tests.cast import AMARA, CARMEN, riverbend
from tests.delivered import a_district, deliver

pytestmark = pytest.mark.django_db(transaction=True)

WRITTEN = {"users": {AMARA: {"email": "amara@pupils.mail.example"}, CARMEN: {"email": "carmen@mail.example"}}}


def test_an_address_elsewhere_is_pointed_out_and_a_guardians_is_not(tmp_path: Path):
    district = a_district()
    set_domains(district, ["riverbend.example", "Mail.example"], "brandt@riverbend.example")
    assert not told(district, tmp_path / "below")
    set_domains(district, ["riverbend.example"], "brandt@riverbend.example")
    [found] = told(district, tmp_path / "elsewhere")
    assert (found.source_id, found.value) == (AMARA, "pupils.mail.example")


def told(district, folder: Path):
    run = deliver(district, riverbend(folder, WRITTEN))
    return found_by(run).narrowed(code="email-domain").listed


def test_domains_are_written_as_people_write_them():
    district = a_district()
    made = set_domains(district, ["@Riverbend.example", " schule.exämple. ", "", "riverbend.example"], "ann")
    assert made == domains_of(district) == ("riverbend.example", "schule.exämple")
    assert set_domains(district, ["schule.exämple"], "ben") == ("schule.exämple",)
    assert EmailDomain.objects.get().by == "ann"
    assert domains_of(a_district("Cedar Falls")) == ()
    assert set_domains(district, [], "cem") == ()


@pytest.mark.parametrize(
    "text", ["riverbend", "a b.example", "ana@riverbend.example", "-a.example", "a..b", "a.1"]
)
def test_what_is_no_domain_is_refused_and_nothing_is_changed(text: str):
    district = a_district()
    set_domains(district, ["riverbend.example"], "ann")
    with pytest.raises(NotADomain) as refusal:
        set_domains(district, ["other.example", text], "ann")
    assert refusal.value.words.startswith(f"“{text}” is not a domain")
    assert domains_of(district) == ("riverbend.example",)
