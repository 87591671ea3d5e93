"""The demo starts again on the data of its last start, whatever was tried there meanwhile; and its organizations are what the card says."""

import pytest
from django.urls import reverse

from rollbook.cli.demo import card_of
from rollbook.flows.administrators import administrators_of
from rollbook.flows.catalogue import browse
from rollbook.flows.demo import Demo, set_up
from rollbook.generator.riverbend import PATH
from rollbook.store.models import (
    Account,
    Case,
    Connection,
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
