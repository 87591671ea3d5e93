"""What happens when someone signs in, or sets their own password."""

from typing import Any

from allauth.account.signals import password_changed, password_reset
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.utils import timezone

from rollbook.flows import operators
from rollbook.flows.acting import CONSOLE, acting


@receiver(user_logged_in, dispatch_uid="rollbook.console.note_sign_in")
def note_sign_in(user: Any, **_: Any) -> None:
    """Django's own note would be a column of the account, and so a write into the roster's file."""
    operators.note_sign_in(user, timezone.now())


@receiver(password_changed, dispatch_uid="rollbook.console.note_password_changed")
@receiver(password_reset, dispatch_uid="rollbook.console.note_password_reset")
def note_password(user: Any, **_: Any) -> None:
    """Also who set one by a link acts for themselves."""
    with acting(user.email or str(user.pk), CONSOLE):
        operators.note_password(user)
