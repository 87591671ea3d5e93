"""The members of an organization: looked through, narrowed and searched, as a file, and one more by hand."""

import csv
from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.frame import changing, why_not
from rollbook.console.organization.listing import (
    Asked,
    asked_of,
    pages_beside,
    shown_list,
    source_names,
    within,
)
from rollbook.console.organization.people import ShownMember, role_words, shown_members
from rollbook.console.organization.words import STATES
from rollbook.flows import directory_lists, members
from rollbook.flows.directory import find_site, roles_of, sites
from rollbook.flows.directory_lists import Sought
from rollbook.refusal import Refusal
from rollbook.store.models import Organization

NAMES = ("q", "state", "role", "site", "grade", "source")


@in_organization(Act.SEE_MEMBERS)
def show_members(request: HttpRequest, organization: Organization) -> HttpResponse:
    asked = asked_of(request.GET, NAMES)
    sought, mine = _sought(asked), within(request, organization)
    page = directory_lists.member_page(organization, sought, mine, asked.place)
    sources, names = source_names(organization), directory_lists.site_names(organization, mine)
    rows: list[ShownMember] = shown_members(page.rows, names, sources)
    context: dict[str, Any] = {
        "nav": "members",
        "asked": asked,
        "page": page,
        "rows": rows,
        "states": [(name, STATES[name][0]) for name in directory_lists.STATES],
        "roles": [(role, role_words(role)) for role in roles_of(organization)],
        "sites": list(names.items()),
        "grades": directory_lists.grades(organization),
        "sources": list(sources.items()),
        "is_bound": mine is not None,
        "is_empty": not page.rows and not asked.is_narrow,
        "why_not": why_not(request, organization),
    }
    return shown_list(request, "members", context | pages_beside(asked, page))


@in_organization(Act.SEE_MEMBERS)
def download_members(request: HttpRequest, organization: Organization) -> StreamingHttpResponse:
    sought = _sought(asked_of(request.GET, NAMES))
    rows = directory_lists.member_rows(
        organization, sought, within(request, organization), source_names(organization)
    )
    answer = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="members-{organization.pk}.csv"'
    return answer


class _Echo:
    """What the csv module writes to: it gives the line back."""

    def write(self, line: str) -> str:
        return line


def _lines(rows: Iterator[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    return (writer.writerow(row) for row in rows)


def _sought(asked: Asked) -> Sought:
    state = asked.text("state")
    return Sought(
        state=state if state in directory_lists.STATES else "",
        role=asked.text("role"),
        site=asked.site,
        grade=asked.text("grade"),
        source=asked.source,
        search=asked.text("q"),
    )


# --- One more by hand ---------------------------------------------------------------------------------------------------------------


class MemberForm(forms.Form):
    """A person who is in no roster, or not yet."""

    given_name = forms.CharField(label=_("Given name"), max_length=200)
    family_name = forms.CharField(label=_("Family name"), max_length=200)
    email = forms.CharField(label=_("E-mail address"), max_length=254, required=False)
    username = forms.CharField(label=_("Username"), max_length=200, required=False)
    identifier = forms.CharField(
        label=_("Identifier in the roster, if you know it"), max_length=200, required=False
    )
    grade = forms.CharField(label=_("Grade, of a pupil"), max_length=40, required=False)
    role = forms.ChoiceField(label=_("Role"))
    site = forms.ChoiceField(label=_("Site"), required=False)

    def __init__(self, organization: Organization, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        roles = reversed(roles_of(organization))  # the lowest first: nobody is an administrator by oversight
        self.fields["role"].choices = [(role, role_words(role)) for role in roles]  # type: ignore[attr-defined]  # a ChoiceField
        named = [(str(site.id), site.name) for site in sites(organization)]
        self.fields["site"].choices = [("", _("None")), *named]  # type: ignore[attr-defined]  # a ChoiceField


@in_organization(Act.SEE_MEMBERS)
@changing
def add_member(request: HttpRequest, organization: Organization) -> HttpResponse:
    form = MemberForm(organization, request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            made = members.add_member(
                organization,
                {name: told[name] for name in members.FIELDS},
                [told["role"]],
                [find_site(organization, told["site"])] if told["site"] else (),
            )
            return redirect("member", organization_id=organization.pk, member_id=made.id)
        except Refusal as refusal:
            form.add_error("email" if "mail" in refusal.words else None, refusal.words)
    context = {"nav": "members", "form": form, "why_not": why_not(request, organization)}
    status = 422 if request.method == "POST" else 200
    return render(request, "organization/member_add.html", context, status=status)
