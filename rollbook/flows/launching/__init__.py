"""The launch pad of a district: its rostered people sign in, see the apps that are shared with them, and launch them."""

from rollbook.flows.launching.standing import LaunchPerson, person_of

__all__ = ["LaunchPerson", "person_of"]
