"""The demo starts again on the data of its last start, whatever was tried there meanwhile; and its organizations are what the card says."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from rollbook.cli.demo import card_of
from rollbook.flows.administrators import administrators_of
from rollbook.flows.broker.addresses import issuer
from rollbook.flows.broker.clients import find_client, has_secret
from rollbook.flows.catalogue import browse
from rollbook.flows.demo import Demo, set_up
from rollbook.flows.launching.coming_in import by_password
from rollbook.flows.launching.pads import find_pad
from rollbook.generator.riverbend import PATH
from rollbook.store.models import (
    Account,
    Case,
    Connection,
    IdentityProvider,
    Organization,
    SyncConnection,
    SyncHold,
    SyncRun,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_demo_with_more_connections_starts_again() -> None:
    first = set_up("Riverbend", PATH)
    Connection.objects.create(district=first.district, kind="sftp_drop", name="Nightly", prefix="n-")
    again = set_up("Riverbend", PATH)
    assert again.district == first.district
    assert again.loaded.run.outcome == "success"
    assert again.password != first.password
    assert [app.name for app in again.apps] == ["Quorndle Reader", "Tessivale Maths"]
    assert Account.objects.get(email=again.developer).check_password(again.password)
    assert browse().count() < browse(with_development=True).count()
    assert again.organizations == first.organizations
    runs = SyncRun.objects.order_by("pk")
    assert runs.count() == 6
    assert Account.objects.get(email=again.administrator).check_password(again.password)
    _organizations(again)
    _card(again)


def _organizations(made: Demo) -> None:
    """Four whose sync came to its end, one for each preset; in one of them a case; one is held; one waits for whoever activates it."""
    assert [one.preset for one in made.organizations[:4]] == [
        "classes-and-licences", "teachers-and-schools", "teachers-groups", "everything-in-step",
    ]  # fmt: skip
    last = {
        one.name: run.outcome if (run := SyncRun.objects.filter(organization=one.number).last()) else ""
        for one in made.organizations
    }
    assert list(last.values()) == ["success"] * 4 + ["held", ""]
    cases = {case.organization.name: case.code for case in Case.objects.filter(closed_at=None)}
    assert cases == {"Riverbend Library": "match-thin"}
    held = {hold.organization.name for hold in SyncHold.objects.filter(decision="")}
    assert held == {"Riverbend Evening School"}
    waiting = SyncConnection.objects.get(organization=made.organizations[-1].number)
    assert (waiting.state, waiting.source_settings["tenant"]) == ("requested", str(made.district.pk))
    seats = dict(Organization.objects.values_list("name", "seats_taken"))
    assert (seats["Riverbend Film Room"], seats["Riverbend Evening School"]) == (4, 4)
    for one in made.organizations:
        assert administrators_of(Organization.objects.get(pk=one.number)).get().account.email == made.administrator  # fmt: skip


def _card(made: Demo) -> None:
    card = card_of(made, "http://127.0.0.1:8000")
    assert [(one["role"], one["email"]) for one in card["operators"]] == [
        ("district administrator", made.email),
        ("organization administrator", made.administrator),
        ("product support", made.supporter),
    ]
    for told, one in zip(card["organizations"], made.organizations, strict=True):
        where = reverse("rostering", kwargs={"organization_id": one.number})
        assert told == {"name": one.name, "preset": one.preset, "rostering": f"http://127.0.0.1:8000{where}"}
    _sign_in(made, card["signIn"])


def _sign_in(made: Demo, told: dict[str, Any]) -> None:
    """Who stands on the card comes in at the launch pad, and into the organization that has it as a way in; the secret is this start's."""
    place = reverse("launch-pad", kwargs={"place": str(made.district.pk)})
    assert urlsplit(told["launchPad"]).path == place
    assert (told["broker"], len(told["members"])) == (issuer(), 3)
    client = find_client(told["clientId"])
    assert has_secret(client, told["clientSecret"], timezone.now())
    assert "http://127.0.0.1:8400/signed-in" in told["redirectUris"]
    pad = find_pad(str(made.district.pk))
    for one in told["members"]:
        assert not by_password(pad, one["username"], one["password"], timezone.now()).must_change
    [way] = IdentityProvider.objects.filter(organization=made.organizations[0].number, is_active=True)
    assert (way.preset, way.tenants) == ("launch-pad", [str(made.district.pk)])
