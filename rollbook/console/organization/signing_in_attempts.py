"""Troubleshoot sign-in: a person is looked for, and every attempt of theirs is told, with the ladder's steps and who can change what."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.people import role_words
from rollbook.console.organization.signing_in import frame_of, steps_of
from rollbook.console.organization.words import STATES, badge
from rollbook.engine.signing_in.ladder import OUTCOMES
from rollbook.flows import members
from rollbook.flows.signing_in import attempts, identities
from rollbook.refusal import Refusal
from rollbook.store.models import IdentityProvider, Member, Organization, SignInAttempt


@in_organization(Act.SEE_SIGN_IN)
def show_attempts(request: Any, organization: Organization) -> HttpResponse:
    """Who works at some sites finds the people of these alone."""
    sites = request.product_reach.sites(Act.SEE_SIGN_IN, organization)
    asked = request.GET.get("q", "").strip()[:300]
    found, tried = (
        attempts.search(organization, asked, sites) if asked else ([], attempts.latest(organization, sites))
    )
    context = frame_of(request, organization, "attempts") | {
        "asked": asked,
        "people": [_person(one) for one in found],
        "attempts": _rows(organization, tried),
    }
    return render(request, "organization/sign_in_attempts.html", context)


@in_organization(Act.SEE_SIGN_IN)
def show_attempt(request: Any, organization: Organization, reference: str) -> HttpResponse:
    sites = request.product_reach.sites(Act.SEE_SIGN_IN, organization)
    try:
        attempt = attempts.find_attempt(organization, reference, sites)
    except Refusal:
        raise Http404 from None
    (row,) = _rows(organization, [attempt])
    named = Member.objects.filter(organization=organization, id__in=attempts.numbers_of([attempt]))
    names = {one.id: f"{one.given_name} {one.family_name}".strip() or str(one.id) for one in named}
    steps = steps_of(attempt.steps)
    for step in steps:
        step["people"] = [(number, names.get(number, str(number))) for number in step["members"]]
    context = frame_of(request, organization, "attempts") | {"row": row, "steps": steps}
    return render(request, "organization/sign_in_attempt.html", context)


def _rows(organization: Organization, tried: list[SignInAttempt]) -> list[dict[str, Any]]:
    ways = {
        one.pk: one.name
        for one in IdentityProvider.objects.filter(
            organization=organization, pk__in={one.provider_id for one in tried}
        )
    }
    people = Member.objects.filter(
        organization=organization, id__in={one.member_id for one in tried if one.member_id}
    )
    names = {one.id: f"{one.given_name} {one.family_name}".strip() for one in people}
    return [
        {
            "attempt": one,
            "way": ways.get(one.provider_id, ""),
            "who": names.get(one.member_id, "") if one.member_id else "",
            "is_in": one.outcome == attempts.IN,
            "words": OUTCOMES.get(one.outcome, ("", ""))[0],
        }
        for one in tried
    ]


def _person(member: Member) -> dict[str, Any]:
    return {
        "member": member,
        "roles": [str(role_words(one)) for one in members.roles_held(member)],
        "state": badge(STATES, member.state).words,
        "identities": list(identities.identities_of(member)),
    }
