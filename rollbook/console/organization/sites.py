"""Sites of an organization: looked through, one with its people and classes and where it comes from, and what is done by hand."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, why_not
from rollbook.console.organization.listing import asked_of, pages_beside, shown_list, source_names, within
from rollbook.console.organization.people import FIELDS, role_words, shown_origins, source_of
from rollbook.console.organization.words import STATES, badge
from rollbook.engine.sync.operations import ACTIVE, ARCHIVED, SITES
from rollbook.flows import administrators, directory, directory_lists, origins
from rollbook.flows import sites as flow
from rollbook.refusal import Refusal
from rollbook.store.models import Organization, Site

NAMES = ("q", "state")


@in_organization(Act.SEE_MEMBERS)
def show_sites(request: HttpRequest, organization: Organization) -> HttpResponse:
    asked, mine = asked_of(request.GET, NAMES), within(request, organization)
    state = ARCHIVED if asked.text("state") == ARCHIVED else ACTIVE
    page = directory_lists.site_page(organization, state, asked.text("q"), mine, asked.place)
    sources = source_names(organization)
    classes = directory_lists.class_numbers(organization, page.rows)
    context: dict[str, Any] = {
        "nav": "sites",
        "asked": asked,
        "page": page,
        "rows": [(one, classes.get(one.id, 0), source_of(one.connection_id, sources)) for one in page.rows],
        "is_bound": mine is not None,
        "is_empty": not page.rows and not asked.is_narrow,
        "why_not": why_not(request, organization),
    }
    return shown_list(request, "sites", context | pages_beside(asked, page))


@require_POST
@in_organization(Act.SEE_MEMBERS)
@changing
def add_site(request: HttpRequest, organization: Organization) -> HttpResponse:
    try:
        made = directory.add_site(
            organization, request.POST.get("name", ""), request.POST.get("identifier", "")
        )
    except Refusal as refusal:
        messages.error(request, refusal.words)
        return redirect("sites", organization_id=organization.pk)
    return redirect("site", organization_id=organization.pk, site_id=made.id)


@in_organization(Act.SEE_MEMBERS)
def show_site(request: HttpRequest, organization: Organization, site_id: int) -> HttpResponse:
    return _page(request, organization, _site_or_404(request, organization, site_id))


def _site_or_404(request: HttpRequest, organization: Organization, site_id: int) -> Site:
    """The site of this number, if it is one of those that who looks works in."""
    mine = within(request, organization)
    site = Site.objects.filter(organization=organization, id=site_id, state__in=(ACTIVE, ARCHIVED)).first()
    if site is None or (mine is not None and site.id not in mine):
        raise Http404
    site.organization = organization
    return site


def _page(request: HttpRequest, organization: Organization, site: Site, trouble: str = "") -> HttpResponse:
    links = origins.links_of(organization, SITES, site.id)
    fields = {"name": site.name, "identifier": site.identifier}
    numbers = directory_lists.role_numbers(organization, site)
    context = {
        "nav": "sites",
        "site": site,
        "state": badge(STATES, site.state),
        "origins": shown_origins(origins.origins(organization, SITES, site.id, fields, links), {}),
        "kept": flow.overrides_of(site).filter(field="state").first(),
        "links": links,
        "people": [(role, role_words(role), number) for role, number in sorted(numbers.items())],
        "classes": directory_lists.class_numbers(organization, [site]).get(site.id, 0),
        "administrators": [
            one for one in administrators.administrators_of(organization) if site.id in one.sites
        ],
        "trouble": trouble,
        "why_not": why_not(request, organization),
    }
    return render(request, "organization/site.html", context, status=422 if trouble else 200)


@require_POST
@in_organization(Act.SEE_MEMBERS)
@changing
def turn_site(request: HttpRequest, organization: Organization, site_id: int, turn: str) -> HttpResponse:
    site, told = _site_or_404(request, organization, site_id), request.POST
    acts: dict[str, tuple[Callable[[], object], str]] = {
        "rename": (
            lambda: flow.rename(site, told.get("name", ""), told.get("why", "")),
            _("It has this name now. Syncs keep it."),
        ),
        "restore": (lambda: flow.restore(site, told.get("why", "")), _("Back. Syncs leave it here.")),
        "follow": (
            lambda: flow.follow(site, told.get("field", "")),
            _("%(field)s follows the roster again, from the next sync on.")
            % {"field": FIELDS.get(told.get("field", ""), "")},
        ),
    }
    if turn not in acts:
        raise Http404
    act, words = acts[turn]
    try:
        act()
    except Refusal as refusal:
        site.refresh_from_db()
        return _page(request, organization, site, refusal.words)
    messages.success(request, words)
    return redirect("site", organization_id=organization.pk, site_id=site.id)
