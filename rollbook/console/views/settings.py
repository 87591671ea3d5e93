"""What someone needs to connect an app to this district: the Tenant ID and the addresses; and where its people's e-mail is."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from rollbook.console.access import Act, in_district
from rollbook.flows.email_domains import domains_of
from rollbook.store.models import District

TOKEN_PATH = "/oauth2/token"


@in_district(Act.SEE_SETTINGS)
def show_settings(request: HttpRequest, district: District) -> HttpResponse:
    return settings_page(request, district, "\n".join(domains_of(district)))


def settings_page(request: HttpRequest, district: District, domains: str, wrong: str = "") -> HttpResponse:
    """The page, with the e-mail domains as they are or, where something is wrong with them, as they were written."""
    addresses = (
        ("v1p1", _("OneRoster 1.1"), "/ims/oneroster/v1p1"),
        ("v1p2", _("OneRoster 1.2 rostering"), "/ims/oneroster/rostering/v1p2"),
        ("token", _("Token address (OAuth 2)"), TOKEN_PATH),
    )
    shown = [(name, words, settings.PUBLIC_URL + path) for name, words, path in addresses]
    context = {"nav": "settings", "addresses": shown, "domains": domains, "wrong": wrong}
    return render(request, "console/settings.html", context, status=422 if wrong else 200)
