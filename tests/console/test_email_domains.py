"""The card of e-mail domains on the page of settings."""

from django.test import Client
from django.urls import reverse

from rollbook.flows.email_domains import domains_of
from rollbook.store.models import District
from tests.console.test_dashboard import text_of


def change(console: Client, district: District, text: str):
    path = reverse("email-domains", kwargs={"tenant": district.pk})
    return console.post(path, {"domains": text}, follow=True)


def test_domains_are_written_one_a_line_and_shown_again(console: Client, district: District):
    answer = change(console, district, "riverbend.example\n@staff.riverbend.example, a.example")
    assert "hold from the next package on" in text_of(answer)
    assert domains_of(district) == ("a.example", "riverbend.example", "staff.riverbend.example")
    assert "a.example\nriverbend.example\nstaff.riverbend.example</textarea>" in answer.text
    assert "No address is judged" in text_of(change(console, district, " "))


def test_what_is_no_domain_is_said_and_stays_written(console: Client, district: District):
    answer = change(console, district, "riverbend.example\nriver bend@x")
    assert answer.status_code == 422
    assert "is not a domain: write what stands behind the @" in text_of(answer)
    assert "river bend@x</textarea>" in answer.text
    assert domains_of(district) == ()


def test_who_works_elsewhere_cannot_set_them(console: Client, elsewhere: District):
    assert change(console, elsewhere, "riverbend.example").status_code == 404
