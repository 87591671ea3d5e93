"""Help: an organization asks its product's support from the page it stands before, with the run attached; one answer closes a request.

Words are kept as they were written and shown to those two alone; the audit log and the e-mails have only that somebody asked, or answered.
"""

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation

from rollbook.flows import audit, notify
from rollbook.refusal import Languages, Refusal
from rollbook.store.models import Administrator, HelpRequest, Organization, Product, SyncConnection, SyncRun

MOST_WORDS = 5_000
MOST_WAITING = 20
ANSWERED = (
    "Product support has answered your question",
    "Product support has answered what you asked. Question and answer stand on the page “Ask for help”; neither is in this e-mail.",
)
"""Subject and words of the e-mail to whoever asked."""


class WordsNeeded(Refusal):
    """Write what you need help with, in at most 5,000 characters."""


class AnswerNeeded(Refusal):
    """Write an answer, in at most 5,000 characters."""


class EnoughRequests(Refusal):
    """Twenty requests of this organization wait for an answer already: they are answered first."""


class NoSuchHelpRequest(Refusal):
    """There is no such request for help, or it is answered already."""


def ask(
    organization: Organization,
    by: str,
    words: str,
    *,
    page: str = "",
    connection: SyncConnection | None = None,
    run: SyncRun | None = None,
    language: str = "",
) -> HelpRequest:
    """A request to the product's support. `page` is the route of the page it was asked on; a run stands for its connection too. In
    `language` whoever asked is told of the answer.

    Raises WordsNeeded, EnoughRequests.
    """
    kept = _words(words)
    if not kept:
        raise WordsNeeded
    with transaction.atomic():
        # Locked, so that two who ask at once are counted.
        Organization.objects.select_for_update().get(pk=organization.pk)
        if waiting_of(organization).count() >= MOST_WAITING:
            raise EnoughRequests
        made = HelpRequest.objects.create(
            organization=organization,
            connection=run.connection if run else connection,
            run=run,
            page=page[:60],
            words=kept,
            language=language[:10],
            asked_by=by[:254],
        )
        _note(made, "help.ask", by)
        _tell_support(made)
    return made


def answer(number: int, by: str, words: str, product: Product | None = None) -> HelpRequest:
    """The answer, which closes the request; where a product is given, only one of its organizations'. Whoever asked gets an e-mail.

    Raises NoSuchHelpRequest, AnswerNeeded.
    """
    kept = _words(words)
    if not kept:
        raise AnswerNeeded
    with transaction.atomic():
        found = waiting(product).select_for_update(of=("self",)).filter(pk=number).first()
        if found is None:
            raise NoSuchHelpRequest(str(number))
        found.answer, found.answered_by, found.answered_at = kept, by[:254], timezone.now()
        found.save(update_fields=["answer", "answered_by", "answered_at"])
        _note(found, "help.answer", by)
        _tell_asker(found)
    return found


def waiting(product: Product | None = None) -> QuerySet[HelpRequest]:
    """What waits for an answer, of one product's organizations or of all; the longest first."""
    found = HelpRequest.objects.filter(answered_at__isnull=True).select_related(
        "organization", "connection", "run"
    )
    return (found.filter(organization__product=product) if product else found).order_by("pk")


def waiting_of(organization: Organization) -> QuerySet[HelpRequest]:
    """What this organization waits for, the longest first."""
    return waiting().filter(organization=organization)


def requests_of(organization: Organization) -> QuerySet[HelpRequest]:
    """All that this organization asked, the latest first."""
    found = HelpRequest.objects.filter(organization=organization).select_related("connection", "run")
    return found.order_by("-pk")


def _words(text: str) -> str:
    """Without what a database does not take; empty where there is nothing, or too much."""
    kept = text.replace("\0", "").strip()
    return kept if len(kept) <= MOST_WORDS else ""


def _tell_support(request: HelpRequest) -> None:
    """That somebody asks, and where to answer. What they wrote stands there alone: it may name people."""
    about = f", about “{request.connection.name}”" if request.connection else ""
    notify.tell_support(
        request.organization,
        "An organization asks for help",
        f"{request.organization.name} asks for help{about}.\n\n"
        f"Read the question and answer it: {notify.support_answer_address(request.organization, request.pk)}\n",
    )


def _tell_asker(request: HelpRequest) -> None:
    """That there is an answer, and where; to whoever asked, while they administer the organization. A program that asked looks for itself."""
    posts = Administrator.objects.filter(organization=request.organization, left_at=None)
    asker = posts.filter(account__email=request.asked_by, account__is_active=True).first()
    if asker is None:
        return
    with translation.override(request.language or settings.LANGUAGE_CODE):
        subject, words = map(Languages.say, ANSWERED)
    address = notify.help_address(request.organization)
    notify.tell_one(request.organization, request.asked_by, subject, f"{words}\n\n{address}\n")


def _note(request: HelpRequest, act: str, by: str) -> None:
    about = {"page": request.page, "connection": request.connection_id, "run": request.run_id}
    audit.record(
        None,
        act,
        "organization",
        request.organization_id,
        request.organization.name,
        after={"request": request.pk, **about},
        by=by,
    )
