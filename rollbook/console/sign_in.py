"""What happens when someone signs in."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.utils import timezone

from rollbook.flows import operators


@receiver(user_logged_in, dispatch_uid="rollbook.console.note_sign_in")
def note_sign_in(user: Any, **_: Any) -> None:
    """Django's own note would be a column of the account, and so a write into the roster's file."""
    operators.note_sign_in(user, timezone.now())
