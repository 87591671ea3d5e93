"""The alarm that a break-glass account was used: an installation operator says that they know of it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rollbook.console.access import Act, in_installation
from rollbook.flows import break_glass
from rollbook.refusal import Refusal


@require_POST
@in_installation(Act.ACKNOWLEDGE_ALARMS)
def acknowledge(request: Any, use_id: int) -> HttpResponse:
    try:
        use = break_glass.acknowledge(use_id, request.user)
        messages.success(
            request, _("The use of %(email)s is acknowledged. The audit log keeps it.") % {"email": use.email}
        )
    except Refusal as refusal:
        messages.error(request, refusal.words)
    return redirect("home")
