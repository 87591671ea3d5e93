"""What people call things in the console: a name that does not fit is refused where it was typed."""

from django.urls import reverse

from rollbook.flows import apps


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
