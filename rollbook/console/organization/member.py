"""A member's page: what they are and where that comes from, what was set by hand, and everything that can be done with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, why_not
from rollbook.console.organization.listing import source_names, within
from rollbook.console.organization.member_events import shown_done, shown_events
from rollbook.console.organization.people import (
    FIELDS,
    STATES_SAY,
    name_of,
    role_words,
    shown_origins,
    source_of,
)
from rollbook.console.organization.words import STATES, badge, outcome_badge
from rollbook.engine.sync.operations import MEMBERS
from rollbook.flows import directory_lists, groups, member_history, members, merging, origins
from rollbook.flows.acting import actor
from rollbook.flows.directory import BY_HAND, find_site, roles_of
from rollbook.flows.sync import runs
from rollbook.refusal import Refusal
from rollbook.store.models import Group, Link, Member, Membership, Organization, SyncRun

LATEST = 20
"""So many runs of a connection are looked through for the member's own."""


@in_organization(Act.SEE_MEMBERS)
def show_member(request: HttpRequest, organization: Organization, member_id: int) -> HttpResponse:
    return _page(request, organization, _member_or_404(request, organization, member_id))


@in_organization(Act.SEE_MEMBERS)
def show_history(request: HttpRequest, organization: Organization, member_id: int) -> HttpResponse:
    member = _member_or_404(request, organization, member_id)
    context = {
        "nav": "members",
        "member": member,
        "name": name_of(member),
        "done": shown_done(member_history.done_by_runs(member)),
        "events": shown_events(member_history.events(member)),
    }
    return render(request, "organization/member_history.html", context)


def _member_or_404(request: HttpRequest, organization: Organization, member_id: int) -> Member:
    """The member of this number, if who looks may see them."""
    every = directory_lists.seen(
        Member.objects.filter(organization=organization), within(request, organization)
    )
    member = every.filter(id=member_id, state__in=directory_lists.STATES).first()
    if member is None:
        raise Http404
    member.organization = organization
    return member


# --- The page -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A class or group that a member is in: as what, and by whose words."""

    group: Group
    role: str
    by: list[str]
    is_by_hand: bool


def _page(
    request: HttpRequest, organization: Organization, member: Member, trouble: str = ""
) -> HttpResponse:
    mine = within(request, organization)
    sites, sources = directory_lists.site_names(organization, mine), source_names(organization)
    links = origins.links_of(organization, MEMBERS, member.id)
    own_sites = members.site_ids_of(member)
    context = {
        "nav": "members",
        "member": member,
        "name": name_of(member),
        "state": badge(STATES, member.state),
        "state_says": STATES_SAY[member.state],
        "trouble": trouble,
        "origins": shown_origins(
            origins.origins(organization, MEMBERS, member.id, members.fields_of(member), links), sites
        ),
        "kept": members.overrides_of(member).filter(field="state").first(),
        "places": _places(member, sources, mine),
        "own_sites": [(one, sites[one]) for one in own_sites if one in sites],
        "hidden_sites": len([one for one in own_sites if one not in sites]),
        "other_sites": [(one, name) for one, name in sites.items() if one not in own_sites],
        "merge": merging.merged_into(member),
        "links": links,
        "resyncs": _resyncs(links),
        "events": shown_events(member_history.events(member)[:6]),
        "administers": members.administers(member),
        "roles": [(role, role_words(role)) for role in roles_of(organization)],
        "why_not": why_not(request, organization),
    }
    return render(request, "organization/member.html", context, status=422 if trouble else 200)


def _places(member: Member, sources: dict[int, str], mine: frozenset[int] | None) -> list[Place]:
    """The classes and groups they are in now, by title: those that who looks may see."""
    rows = Membership.objects.filter(
        organization=member.organization_id, member_id=member.id, state="active"
    ).order_by("connection_id")
    found: dict[int, list[Membership]] = {}
    for row in rows:
        found.setdefault(row.group_id, []).append(row)
    shown = groups.groups(member.organization).filter(id__in=list(found))
    shown = shown if mine is None else shown.filter(site_id__in=list(mine))
    return [_place(group, found[group.id], sources) for group in shown]


def _place(group: Group, said: list[Membership], sources: dict[int, str]) -> Place:
    by = [source_of(row.connection_id, sources) for row in said]
    by_hand = any(row.connection_id == BY_HAND for row in said)
    return Place(group, str(role_words(said[0].role)), by, by_hand)


def _resyncs(links: list[Link]) -> list[tuple[SyncRun, Any]]:
    """The latest syncs of this member alone, each with what it came to."""
    found = []
    for link in links:
        single = runs.runs_of(link.connection).filter(task__kind=runs.FOCUS)[:LATEST]
        own = [run for run in single if link.source_id in run.task.get("focus", {}).get("people", ())]
        found += [(run, outcome_badge(run)) for run in own[:1]]
    return found


# --- Acts ---------------------------------------------------------------------------------------------------------------------------


def _part(member: Member, _why: str) -> object:
    merge = merging.merged_into(member)
    if merge is None:
        raise merging.NoSuchMerge(str(member.id))
    return merging.unmerge(merge)


TURNS: dict[str, tuple[Callable[[Member, str], object], Any]] = {
    "archive": (
        members.archive,
        gettext_lazy("Archived. Their seat is free, and no sync brings them back."),
    ),
    "restore": (
        members.restore,
        gettext_lazy("Back, with all they were in. Syncs leave them here."),
    ),
    "suspend": (
        lambda member, why: members.suspend(member, timezone.now(), why),
        gettext_lazy("Suspended. Their seat is free; all they are in stays."),
    ),
    "let-in": (
        members.let_in,
        gettext_lazy("Let in again. The next sign-in takes a seat."),
    ),
    "activate": (
        lambda member, why: members.activate(member, timezone.now()),
        gettext_lazy("Active, and holds a seat."),
    ),
    "part": (
        _part,
        gettext_lazy("Both are there again, each with what was theirs."),
    ),
    "administrator": (
        members.make_administrator,
        gettext_lazy("Is an administrator now. Syncs keep that."),
    ),
}
"""What a button of the page does, and what is said then."""


@require_POST
@in_organization(Act.SEE_MEMBERS)
@changing
def turn_member(request: HttpRequest, organization: Organization, member_id: int, turn: str) -> HttpResponse:
    member = _member_or_404(request, organization, member_id)
    if turn not in TURNS:
        raise Http404
    act, words = TURNS[turn]
    return _carried_out(
        request, organization, member, lambda: act(member, request.POST.get("why", "")), words
    )


@require_POST
@in_organization(Act.SEE_MEMBERS)
@changing
def follow(request: HttpRequest, organization: Organization, member_id: int) -> HttpResponse:
    member, field = _member_or_404(request, organization, member_id), request.POST.get("field", "")
    words = _("%(field)s follows the roster again, from the next sync on.") % {
        "field": FIELDS.get(field, field)
    }
    return _carried_out(request, organization, member, lambda: members.follow(member, field), words)


@require_POST
@in_organization(Act.SEE_MEMBERS)
@changing
def change_site(request: HttpRequest, organization: Organization, member_id: int) -> HttpResponse:
    """Adds a site by hand (`add`), or says all of them without one (`leave`)."""
    member, why = _member_or_404(request, organization, member_id), request.POST.get("why", "")

    def change() -> object:
        if leave := request.POST.get("leave"):
            stay = [site for site in members.sites_of(member) if str(site.id) != leave]
            return members.set_sites(member, stay, why)
        return members.add_to_site(member, find_site(organization, request.POST.get("add", "")), why)

    return _carried_out(
        request, organization, member, change, _("The sites are set by hand now. Syncs keep that.")
    )


@require_POST
@in_organization(Act.SEE_MEMBERS)
@changing
def resync(request: HttpRequest, organization: Organization, member_id: int) -> HttpResponse:
    """Queues a sync of this member and their classes alone, from each roster of theirs."""
    member = _member_or_404(request, organization, member_id)
    links = origins.links_of(organization, MEMBERS, member.id)

    def queue() -> object:
        if not links:
            raise origins.NoRoster
        return [_queued(link) for link in links]

    words = _("Queued: their record and classes are read and synced next. You can leave this page.")
    return _carried_out(request, organization, member, queue, words)


def _queued(link: Link) -> SyncRun:
    focus = {"people": [link.source_id], "classes": [], "schools": []}
    return runs.enqueue(link.connection, actor().name, runs.FOCUS, focus=focus)


def _carried_out(
    request: HttpRequest, organization: Organization, member: Member, act: Callable[[], object], words: Any
) -> HttpResponse:
    """Back to the page with what was done; or the page at once, with why not."""
    try:
        act()
    except Refusal as refusal:
        member.refresh_from_db()
        return _page(request, organization, member, refusal.words)
    messages.success(request, str(words))
    return redirect("member", organization_id=organization.pk, member_id=member.id)


# --- Edited by hand -------------------------------------------------------------------------------------------------------------------


class EditForm(forms.Form):
    """What a person may set of a member; `version` is that of the member who was looked at."""

    given_name = forms.CharField(label=FIELDS["given_name"], max_length=200, required=False)
    family_name = forms.CharField(label=FIELDS["family_name"], max_length=200, required=False)
    email = forms.CharField(label=FIELDS["email"], max_length=254, required=False)
    username = forms.CharField(label=FIELDS["username"], max_length=200, required=False)
    identifier = forms.CharField(label=FIELDS["identifier"], max_length=200, required=False)
    grade = forms.CharField(label=FIELDS["grade"], max_length=40, required=False)
    roles = forms.MultipleChoiceField(
        label=FIELDS["roles"], required=False, widget=forms.CheckboxSelectMultiple
    )
    why = forms.CharField(label=gettext_lazy("Why (kept with it)"), max_length=500, required=False)
    until = forms.CharField(
        label=gettext_lazy("Until (the last day; empty: for good)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, member: Member, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        held = members.roles_held(member)
        known = list(dict.fromkeys((*roles_of(member.organization), *held)))
        self.fields["roles"].choices = [(role, role_words(role)) for role in known]  # type: ignore[attr-defined]  # a choice field


@in_organization(Act.SEE_MEMBERS)
@changing
def edit_member(request: HttpRequest, organization: Organization, member_id: int) -> HttpResponse:
    member = _member_or_404(request, organization, member_id)
    stored = members.fields_of(member) | {
        "roles": list(members.roles_held(member)),
        "version": member.version,
    }
    form = EditForm(member, request.POST if request.method == "POST" else stored)
    if request.method == "POST" and form.is_valid():
        member.version = form.cleaned_data["version"]
        try:
            told = form.cleaned_data
            values = {name: told[name] for name in members.FIELDS}
            members.edit(member, values, told["roles"], told["why"], told["until"])
            messages.success(request, _("Set by hand. Syncs keep what you changed."))
            return redirect("member", organization_id=organization.pk, member_id=member.id)
        except Refusal as refusal:
            form.add_error(_field_of(refusal), refusal.words)
    context = {
        "nav": "members",
        "member": member,
        "name": name_of(member),
        "form": form,
        "chosen": request.POST.getlist("roles") if request.method == "POST" else stored["roles"],
        "is_rostered": bool(origins.links_of(organization, MEMBERS, member.id)),
        "why_not": why_not(request, organization),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "organization/member_edit.html", context, status=status)


def _field_of(refusal: Refusal) -> str | None:
    """Where in the form it is said."""
    places = {
        "NotAnAddress": "email",
        "NotADay": "until",
        "NoSuchRole": "roles",
        "LastAdministrator": "roles",
    }
    return places.get(type(refusal).__name__)
