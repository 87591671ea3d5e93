"""What people call things in the console: a name that does not fit is refused where it was typed."""

import pytest
from django.urls import reverse
from django.utils import timezone

from rollbook.engine.scope import FULL, NONE
from rollbook.flows import (
    applications,
    apps,
    audit,
    catalogue,
    connections,
    keys,
    operators,
    partners,
    permission_edits,
)
from rollbook.flows.acting import API, acting, actor
from rollbook.flows.tokens import make_token
from tests.mailbox import mail_server


def test_a_name_longer_than_its_place_is_refused_in_words(console, district):
    grant = apps.grant_app(district, apps.add_app("Reading App"), "full", [])
    of_app = {"tenant": district.pk, "grant_id": grant.pk}
    long = "x" * 201
    for address, form in (
        (reverse("app-key-add", kwargs=of_app), {"name": long}),
        (reverse("connection-add", args=[district.pk, "upload"]), {"name": long}),
        (reverse("invite", args=[district.pk]), {"name": long, "email": "x@riverbend.example"}),
        (reverse("token-add", args=[district.pk]), {"name": long, "days": "30"}),
        (reverse("app-rename", kwargs=of_app), {"name": long}),
    ):
        page = console.post(address, form)
        assert page.status_code == 422, address
        assert "at most 200 characters" in page.content.decode(), address


def test_the_longest_names_go_all_the_way(console, district):
    """What is said with a name in it is kept too: why something was published, an e-mail's subject, entries of the log."""
    longest = "é" * 200
    partner = partners.add_partner(longest)
    with mail_server() as mailbox:
        developer, is_sent = partners.invite(partner, "ines@quorndle.example", longest)
    assert is_sent
    assert mailbox.recipients == ["ines@quorndle.example"]
    app = catalogue.enter({"name": longest, "contact_name": longest}, developer)
    grant = apps.grant_app(district, app, "full", [])
    applications.rename(grant, "ß" * 200, by="brandt@riverbend.example")
    permission_edits.edit_permissions(grant, NONE, by="brandt@riverbend.example")
    keys.add_key(grant, name=longest)
    partners.make_key(partner, longest, "ines@quorndle.example")
    connections.add_connection(district, "upload", longest, {})
    shown = console.get(reverse("app", kwargs={"tenant": district.pk, "grant_id": grant.pk}))
    assert "ß" * 200 in shown.content.decode()
    assert audit.verify(district.pk).holds


def test_an_address_as_long_as_may_be_signs_what_it_does(district):
    longest = f"{'x' * 60}@{'y' * 55}.{'z' * 55}.example"
    assert len(longest) == 180
    account = operators.add_operator(longest, operators.DISTRICT, district, name="é" * 200).account
    token, _ = make_token(account, district, "é" * 200, timezone.now())
    with acting(f"{longest} (token {token.pk})", API):
        grant, _ = applications.add_application(district, apps.add_app("Reader"), FULL, by=actor().name)
        applications.remove_application(grant, by=actor().name)
    assert audit.entries(district.pk)[0].actor == f"{longest} (token {token.pk})"
    with pytest.raises(operators.NotAnAddress):
        operators.add_operator(f"x{longest}", operators.DISTRICT, district)
