"""Signing out at the sign-in service of a district's or an organization's own, once somebody is out here."""

from django.conf import settings
from django.urls import reverse

from rollbook.flows.own_sign_in.setting_up import Own
from rollbook.flows.signing_in import journeys


def back_address(own: Own) -> str:
    """Where the service leads who signed out there, if it is registered there."""
    return settings.PUBLIC_URL + reverse("own-door-out-back", args=[own.key])


def way_out_of(own: Own, now: int, state: str = "") -> str:
    """Where one signs out there; empty where it offers that not, or does not answer. It is told where to lead back to only where that was
    registered there: a service refuses, or ends nothing, for an address that it does not know.
    """
    back = back_address(own) if own.leads_back else ""
    return journeys.way_out_of(own, now, back, state)
