"""Sign-ins that wait for a decision: whose each of them is, or that it is nobody's."""

from datetime import UTC, datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.organization.access import Act, in_organization
from rollbook.console.organization.people import role_words
from rollbook.console.organization.signing_in import CLAIMS, frame_of
from rollbook.engine.signing_in.ladder import OUTCOMES, REASONS
from rollbook.flows import members
from rollbook.flows.signing_in import identities, reviews
from rollbook.refusal import Refusal
from rollbook.store.models import Member, Organization, SignInReview

SHOWN = 50
LABELS = {name: words for name, words in CLAIMS.items() if name != "issuer"} | {"name": ""}


@in_organization(Act.MANAGE_SIGN_IN)
def show_reviews(request: HttpRequest, organization: Organization) -> HttpResponse:
    found = list(reviews.waiting(organization)[:SHOWN])
    context = frame_of(request, organization, "reviews") | {
        "reviews": [_shown(organization, one) for one in found]
    }
    return render(request, "organization/sign_in_reviews.html", context)


@require_POST
@in_organization(Act.MANAGE_SIGN_IN)
def decide(request: HttpRequest, organization: Organization, review_id: int) -> HttpResponse:
    now = datetime.now(UTC)
    try:
        review = reviews.find_review(organization, review_id)
        if "dismiss" in request.POST:
            reviews.dismiss(review, now)
            messages.success(request, _("It is nobody's. Should they come again, you are asked again."))
        else:
            told = request.POST.get("other", "").strip() or request.POST.get("member", "")
            member = members.find_member(organization, told)
            reviews.decide_link(review, member, now)
            messages.success(request, _("From the next sign-in on they come in as the member you chose."))
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return redirect("sign-in-reviews", organization_id=organization.pk)


@require_POST
@in_organization(Act.MANAGE_SIGN_IN)
def end_identity(
    request: HttpRequest, organization: Organization, member_id: int, identity_id: int
) -> HttpResponse:
    """One of a member's sign-ins is theirs no more."""
    member = Member.objects.filter(organization=organization, id=member_id).first()
    if member is None:
        raise Http404
    try:
        identities.end(identities.find_identity(member, identity_id), datetime.now(UTC))
        messages.success(request, _("This sign-in is nobody's any more, and who came in by it is out."))
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return redirect("sign-in-attempts", organization_id=organization.pk)


def _shown(organization: Organization, review: SignInReview) -> dict[str, object]:
    told = reviews.told(review)
    candidates = Member.objects.filter(organization=organization, id__in=review.candidates).order_by("id")
    return {
        "review": review,
        "name": told.pop("name", ""),
        "claims": [(LABELS[name], value) for name, value in told.items()],
        "why": REASONS["linked-elsewhere-said"] if review.code == "matched" else OUTCOMES[review.code][0],
        "candidates": [
            (one, [str(role_words(role)) for role in members.roles_held(one)]) for one in candidates
        ],
    }
