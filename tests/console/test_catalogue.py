"""The catalogue in the console: browsed and searched, kept by installation operators, with logos that can do no harm."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from rollbook.flows import apps, catalogue
from rollbook.store.models import App
from tests.engine.test_pictures import png


@pytest.fixture
def keeper(installer, signed_in) -> Client:
    return signed_in(installer)


@pytest.fixture
def shelf(db) -> None:
    catalogue.enter(
        {"name": "Quorndle Reader", "vendor": "Quorndle", "description": "Books for every class."}
    )
    catalogue.enter({"name": "Tessivale Maths", "vendor": "Tessivale"})
    catalogue.enter({"name": "Quorndle Aloud", "vendor": "Quorndle", "in_development": True})


def names_on(page) -> list[str]:
    text = page.content.decode()
    return [name for name in ("Quorndle Reader", "Tessivale Maths", "Quorndle Aloud") if name in text]


def test_apps_are_found_by_name_and_company_and_those_in_development_when_asked_for(console, shelf):
    address = reverse("catalogue")
    assert names_on(console.get(address)) == ["Quorndle Reader", "Tessivale Maths"]
    assert names_on(console.get(address, {"q": "tessi"})) == ["Tessivale Maths"]
    everything = console.get(address, {"development": "1"})
    assert names_on(everything) == ["Quorndle Reader", "Tessivale Maths", "Quorndle Aloud"]
    assert "DEV" in everything.content.decode()
    assert "No app and no company" in console.get(address, {"q": "zzz"}).content.decode()


def test_an_administrator_adds_from_there_and_does_not_keep_it(console, shelf, district):
    app = App.objects.get(name="Quorndle Reader")
    page = console.get(reverse("catalogue")).content.decode()
    assert reverse("app-add-one", kwargs={"tenant": district.pk, "app_id": app.pk}) in page
    assert reverse("catalogue-add") not in page
    assert console.get(reverse("catalogue-entry", kwargs={"app_id": app.pk})).status_code == 200
    assert console.get(reverse("catalogue-add")).status_code == 404
    assert console.get(reverse("catalogue-edit", kwargs={"app_id": app.pk})).status_code == 404
    assert console.post(reverse("catalogue-remove", kwargs={"app_id": app.pk})).status_code == 404


def test_an_app_is_entered_with_all_that_is_said_of_it(keeper):
    typed = {
        "name": "Reader",
        "vendor": "Quorndle",
        "website": "https://quorndle.example",
        "redirect_uris": "https://r.example/back\nhttp://localhost:3000/back",
        "needs": "required users.email: pupils sign in with it",
        "contact_email": "dev@quorndle.example",
        "in_development": "on",
        "logo": SimpleUploadedFile("logo.svg", png(), content_type="image/svg+xml"),
    }
    page = keeper.post(reverse("catalogue-add"), typed, follow=True).content.decode()
    app = App.objects.get()
    assert app.redirect_uris == ["https://r.example/back", "http://localhost:3000/back"]
    for said in ("Reader", "DEV", "users.email", "pupils sign in with it", app.logo.checksum):
        assert said in page


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(keeper, shelf):
    typed = {
        "name": "Tessivale Maths",
        "start_url": "javascript:alert(1)",
        "redirect_uris": "http://r.example/back",
        "needs": "required shoes: sizes",
        "contact_email": "nobody",
        "logo": SimpleUploadedFile("logo.png", b"<svg onload='alert(1)'></svg>"),
    }
    answer = keeper.post(reverse("catalogue-add"), typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    for said in ("https://", "“shoes” is none of", "is a PNG or a JPEG", "required shoes: sizes"):
        assert said in page
    assert App.objects.count() == 3
    again = keeper.post(reverse("catalogue-add"), {"name": "Tessivale Maths"})
    assert "in the catalogue already" in again.content.decode()


def test_an_app_is_edited_and_its_logo_taken_away(keeper, shelf):
    app = App.objects.get(name="Tessivale Maths")
    catalogue.set_logo(app, png())
    address = reverse("catalogue-edit", kwargs={"app_id": app.pk})
    assert 'value="Tessivale Maths"' in keeper.get(address).content.decode()
    keeper.post(address, {"name": "Tessivale Sums", "vendor": "Tessivale", "remove_logo": "on"})
    app = App.objects.get(pk=app.pk)
    assert (app.name, hasattr(app, "logo")) == ("Tessivale Sums", False)


def test_an_app_that_a_district_added_stays(keeper, shelf, district):
    kept, gone = App.objects.get(name="Tessivale Maths"), App.objects.get(name="Quorndle Aloud")
    apps.grant_app(district, kept, "full", [])
    for app in (kept, gone):
        keeper.post(reverse("catalogue-remove", kwargs={"app_id": app.pk}))
    assert App.objects.filter(pk=kept.pk).exists()
    assert not App.objects.filter(pk=gone.pk).exists()
    page = keeper.get(reverse("catalogue-entry", kwargs={"app_id": kept.pk})).content.decode()
    assert district.name in page


def test_a_logo_is_served_as_the_picture_it_is_and_as_nothing_else(client, shelf):
    app = App.objects.get(name="Tessivale Maths")
    logo = catalogue.set_logo(app, png())
    answer = client.get(reverse("app-logo", kwargs={"app_id": app.pk, "checksum": logo.checksum}))
    assert answer.content == png()
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "immutable" in answer["Cache-Control"]
    assert client.get(reverse("app-logo", kwargs={"app_id": app.pk, "checksum": "0" * 64})).status_code == 404
