"""Break-glass accounts: installation operators kept for when nobody else gets in. Whoever signs in with one raises the alarm.

A use is noted beside the roster's file, like every sign-in; a worker tells all installation operators by e-mail, and their pages say it
until one of them has acknowledged it.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import router, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from rollbook.flows import audit
from rollbook.flows.notes import note
from rollbook.flows.operators import INSTALLATION, AlreadyOperator, add_operator
from rollbook.refusal import Refusal
from rollbook.store.models import Account, AuditEntry, BreakGlassUse, Letter, Operator
from rollbook.store.models.auditing import INSTALLATION as CHAIN

TOLD = "break_glass.tell"


class NotByItself(Refusal):
    """A break-glass account cannot acknowledge its own use: another installation operator does."""


class NoSuchUse(Refusal):
    """There is no such use of a break-glass account, or it was acknowledged already."""


def make(email: str, name: str = "", password: str | None = None) -> Operator:
    """An installation operator for emergencies. Raises AlreadyOperator for an address that signs in here already, NotAnAddress,
    NameTooLong, WeakPassword.

    No second step is required of it, so that it opens when phones and keys are lost.
    """
    with transaction.atomic():
        if Account.objects.filter(email=email.strip().lower()).exists():
            raise AlreadyOperator(email[:180])
        operator = add_operator(email, INSTALLATION, None, name, password)
        operator.is_break_glass = True
        operator.save(update_fields=["is_break_glass"])
        audit.record(None, "break_glass.make", "operator", operator.account_id, operator.account.email or "")
    return operator


def is_break_glass(account: Account) -> bool:
    return Operator.objects.filter(account=account, is_break_glass=True).exists()


def note_use(account: Account, address: str, now: datetime) -> None:
    """Somebody has signed in: where it is a break-glass account, the alarm is raised."""
    if not is_break_glass(account):
        return
    with transaction.atomic(using=_home()):
        BreakGlassUse.objects.create(
            account_id=account.pk, email=account.email or "", address=address[:64], at=now
        )
        note(account, "break_glass.use", {"address": address})


def not_acknowledged() -> QuerySet[BreakGlassUse]:
    """The uses that no installation operator has acknowledged, the latest first."""
    return BreakGlassUse.objects.filter(acknowledged_at=None).order_by("-at", "-pk")


def acknowledge(number: int, by: Account) -> BreakGlassUse:
    """An installation operator knows of it: pages say it no more. Raises NotByItself, NoSuchUse."""
    if is_break_glass(by):
        raise NotByItself
    with transaction.atomic(using=_home()):
        use = not_acknowledged().filter(pk=number).first()
        if use is None:
            raise NoSuchUse(str(number))
        use.acknowledged_at, use.acknowledged_by = timezone.now(), (by.email or str(by.pk))[:254]
        use.save(update_fields=["acknowledged_at", "acknowledged_by"])
        note(by, "break_glass.acknowledge", {"use": use.pk, "whose": use.email})
    return use


def tell_due() -> int:
    """Write the e-mails that are due; about how many uses. Killed before the use says so, what is written is not written again."""
    due = list(BreakGlassUse.objects.filter(told_at=None).order_by("pk"))
    for use in due:
        with transaction.atomic():
            told: dict[str, Any] = {"district_id": CHAIN, "act": TOLD, "object": str(use.pk)}
            if not AuditEntry.objects.filter(**told).exists():
                written = _write(use)
                audit.record(None, TOLD, "break-glass use", use.pk, use.email, after={"letters": written})
        BreakGlassUse.objects.filter(pk=use.pk).update(told_at=timezone.now())
    return len(due)


def _write(use: BreakGlassUse) -> int:
    words = (
        f"Somebody has signed in with the break-glass account {use.email} at {settings.PUBLIC_URL}, on {use.at:%Y-%m-%d} at"
        f" {use.at:%H:%M} UTC, from the address {use.address or 'unknown'}.\n\n"
        "If this is one of you in an emergency, acknowledge it in the console. If nobody knows of it, end its sessions and deactivate it now:\n"
        f"    rollbook operator deactivate {use.email}\n\n"
        f"The audit log says what was done with it: {settings.PUBLIC_URL}{reverse('installation-audit')}"
    )
    now = timezone.now()
    letters = [
        Letter(address=address, subject="A break-glass account was used", words=words, written_at=now, next_at=now)
        for address in _addresses(use)
    ]  # fmt: skip
    return len(Letter.objects.bulk_create(letters))


def _addresses(use: BreakGlassUse) -> list[str]:
    posts = Operator.objects.filter(role=INSTALLATION, account__is_active=True, account__email__isnull=False)
    return sorted(set(posts.exclude(account_id=use.account_id).values_list("account__email", flat=True)))


def _home() -> str:
    return router.db_for_write(BreakGlassUse)
