"""What someone needs to connect an app to this district: the Tenant ID and the addresses."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from rollbook.console.access import Act, in_district
from rollbook.store.models import District

TOKEN_PATH = "/oauth2/token"


@in_district(Act.SEE_SETTINGS)
def show_settings(request: HttpRequest, district: District) -> HttpResponse:
    addresses = (
        ("v1p1", _("OneRoster 1.1"), "/ims/oneroster/v1p1"),
        ("v1p2", _("OneRoster 1.2 rostering"), "/ims/oneroster/rostering/v1p2"),
        ("token", _("Token address (OAuth 2)"), TOKEN_PATH),
    )
    shown = [(name, words, settings.PUBLIC_URL + path) for name, words, path in addresses]
    return render(request, "console/settings.html", {"nav": "settings", "addresses": shown})
