"""E-mail developer: a district writes to who made an app. The message is made of a template, the facts of the connection, and a note.

Nothing of the roster is put into it, and a note that names a pupil is refused. Every message is kept, with what became of it.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from smtplib import SMTPAuthenticationError, SMTPException, SMTPRecipientsRefused, SMTPSenderRefused

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import QuerySet

from rollbook.flows import audit
from rollbook.flows.partners import PARTNER, developers_of
from rollbook.oneroster.operations import BASES
from rollbook.refusal import Refusal
from rollbook.store.models import Developer, DeveloperMail, District, Grant
from rollbook.store.named import names_pupils

MOST_NOTE = 4_000
REGISTERED, ALL = "registered", "all"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Template:
    """How a message begins. `subject` goes on with the app and the district."""

    subject: str
    words: str
    needs_note: bool = False


TEMPLATES = {
    "question": Template("A question", "We have a question about your app and our roster.", needs_note=True),
    "enabled": Template(
        "Your app is enabled", "We have added your app and enabled it: it can read our roster from now on."
    ),
    "permissions": Template(
        "What your app sees has changed",
        "We have changed what your app sees of our roster. Please read it whole once, and tell us if something you need is missing.",
    ),
    "trouble": Template(
        "Something does not work", "Your app does not work for us as it should. Please look into it.", needs_note=True
    ),
    "silence": Template(
        "Your app has not read our roster", "Your app could read our roster and has not done so lately. Is something in its way?"
    ),
    "key": Template("Please change the key", "Please ask us for a new key, and stop using the one you have."),
    "end": Template(
        "We stop using your app", "We will remove your app from our roster. Please delete the data you have of us, and confirm it."
    ),
}  # fmt: skip
"""What a message can be about, by name."""


class NobodyToWriteTo(Refusal):
    """No address of a developer is known for this app: the catalogue needs a contact for it."""


class NoSuchTemplate(Refusal):
    """There is no such template: `rollbook email write --help` names them."""


class NoteNeeded(Refusal):
    """Say in a note what it is about."""


class NoteTooLong(Refusal):
    """A note has at most 4,000 characters."""


class NamesAPupil(Refusal):
    """Pupils' data never goes out by e-mail: leave this out, and say where in the app it can be seen instead."""


@dataclass(frozen=True)
class Recipient:
    """Whom a message can go to. `why` is registered, developer or contact."""

    email: str
    name: str
    why: str


@dataclass(frozen=True)
class Message:
    """What would be sent, word for word."""

    template: str
    subject: str
    body: str
    recipients: tuple[Recipient, ...]


# --- To whom ------------------------------------------------------------------------------------------------------------------------


def recipients(grant: Grant, to: str = REGISTERED) -> tuple[Recipient, ...]:
    """Whom a message goes to: the developer who registered the app, and for an app the operator entered its contact; or all of them.

    Where who registered it has left, the contact stands in, and where there is none the partner's other developers. Raises
    NobodyToWriteTo.
    """
    known = _known(grant)
    if not known:
        raise NobodyToWriteTo(grant.title)
    if to == ALL:
        return known
    first = known[0]
    return (first,) if first.why != "developer" else known


def _known(grant: Grant) -> tuple[Recipient, ...]:
    """Everybody who can be written to, once each: who registered it, then its contact, then the others."""
    app = grant.app
    team = list(developers_of(app.partner).filter(role=PARTNER)) if app.partner is not None else []
    first = [_person(one, "registered") for one in team if one.pk == app.registered_by_id]
    address = (grant.own.get("contact_email") or app.contact_email).lower()
    contact = [Recipient(address, app.contact_name, "contact")] if address else []
    others = [_person(one, "developer") for one in team if one.pk != app.registered_by_id]
    by_email = {one.email: one for one in reversed([*first, *contact, *others])}
    return tuple(one for one in [*first, *contact, *others] if by_email[one.email] is one)


def _person(developer: Developer, why: str) -> Recipient:
    return Recipient(developer.account.email or "", developer.name, why)


# --- What -------------------------------------------------------------------------------------------------------------------------


def compose(grant: Grant, template: str, note: str, by_name: str, by: str, to: str = REGISTERED) -> Message:
    """The message as it would be sent; `by` is the sender's address, to which answers go.

    Raises NoSuchTemplate, NoteNeeded, NoteTooLong, NamesAPupil, NobodyToWriteTo.
    """
    chosen = TEMPLATES.get(template)
    if chosen is None:
        raise NoSuchTemplate(template)
    note = note.replace("\0", "").replace("\r\n", "\n").strip()
    _judge(grant.district, chosen, note)
    subject = " ".join(f"{chosen.subject}: {grant.app.name} at {grant.district.name}".split())[:500]
    parts = ["Hello,", chosen.words, note, _facts(grant), f"{by_name or grant.district.name}\n{by}".strip()]
    return Message(
        template, subject, "\n\n".join(part for part in parts if part) + "\n", recipients(grant, to)
    )


def _judge(district: District, template: Template, note: str) -> None:
    if template.needs_note and not note:
        raise NoteNeeded
    if len(note) > MOST_NOTE:
        raise NoteTooLong
    if named := names_pupils(district.pk, note):
        raise NamesAPupil(named)


def _facts(grant: Grant) -> str:
    """What the developer needs to know which connection is meant: no secret, and nothing of the roster."""
    district = grant.district
    return "\n".join(
        (
            f"App: {grant.app.name}",
            f"District: {district.name} (Tenant ID {district.pk}, application {grant.pk})",
            f"OneRoster 1.1: {settings.PUBLIC_URL}{BASES[('1.1', 'rostering')]}",
            f"OneRoster 1.2: {settings.PUBLIC_URL}{BASES[('1.2', 'rostering')]}",
        )
    )


# --- Off it goes --------------------------------------------------------------------------------------------------------------------


def send(grant: Grant, message: Message, by: str, now: datetime) -> DeveloperMail:
    """Sends the message, to each recipient one of their own, and keeps it. A mail server that fails is told in `reason`, not raised."""
    told = [{"email": one.email, "sent": False} for one in message.recipients]
    with transaction.atomic():
        kept = DeveloperMail.objects.create(
            district=grant.district, app=grant.app, written_by=by, at=now, template=message.template,
            subject=message.subject, body=message.body, recipients=told, reason="It was not finished.",
        )  # fmt: skip
        after = {"template": message.template, "recipients": [one.email for one in message.recipients]}
        audit.record(grant.district_id, "developer.write", "grant", grant.pk, grant.title, after=after)
    kept.reason = _deliver(message, by, told)
    kept.recipients = told
    kept.save(update_fields=["recipients", "reason"])
    return kept


def _deliver(message: Message, by: str, told: list[dict[str, object]]) -> str:
    """Marks in `told` which ones the mail server took; why it did not take the others, in words."""
    reasons = dict[str, None]()
    connection = get_connection()
    for one in told:
        email = EmailMessage(
            message.subject, message.body, to=[str(one["email"])],
            reply_to=[by] if "@" in by else None, connection=connection,
        )  # fmt: skip
        try:
            one["sent"] = bool(email.send())
        except (OSError, SMTPException) as fault:
            log.error("a message to a developer could not be sent: %s", type(fault).__name__)
            reasons[_reason(fault)] = None
            connection.close()
    return " ".join(reasons)


def _reason(fault: Exception) -> str:
    if isinstance(fault, SMTPRecipientsRefused):
        return "The mail server does not take mail for this address."
    if isinstance(fault, SMTPAuthenticationError):
        return "The mail server does not accept the name and password of ROLLBOOK_EMAIL_URL."
    if isinstance(fault, SMTPSenderRefused):
        return "The mail server does not take mail from the address in ROLLBOOK_EMAIL_FROM."
    if isinstance(fault, SMTPException):
        return "The mail server refused the message."
    return "The mail server cannot be reached."


def mails_of(grant: Grant) -> QuerySet[DeveloperMail]:
    """What the district wrote to the developers of this app, the latest first."""
    found = DeveloperMail.objects.filter(district_id=grant.district_id, app_id=grant.app_id)
    return found.order_by("-at", "-id")


def sent_to(mail: DeveloperMail) -> Iterable[str]:
    """The addresses the mail server took it for."""
    return [one["email"] for one in mail.recipients if one["sent"]]
