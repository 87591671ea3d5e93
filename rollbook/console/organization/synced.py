"""What a sync brings and what it does not, in one line, and as a text that can be handed to teachers. It follows from the settings."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from rollbook.engine.sync.policy import Policy
from rollbook.store.models import Organization


@dataclass(frozen=True)
class Synced:
    """`line` is for who administers, `letter` for teachers."""

    line: str
    letter: str


def synced(policy: Policy, organization: Organization) -> Synced:
    """What is and what is not synced by these settings."""
    return Synced(_line(policy), "\n\n".join(_letter(policy, organization)))


def _line(policy: Policy) -> str:
    if policy.classes.sync:
        return _(
            "Schools, people, classes and who is in them are synced. Assignments, marks and what people have made are not."
        )
    if policy.people.who == "everyone":
        return _(
            "Schools and people are synced. Classes, assignments, marks and what people have made are not."
        )
    return _(
        "Schools and staff are synced. Pupils, classes, assignments, marks and what people have made are not."
    )


def _letter(policy: Policy, organization: Organization) -> list[str]:
    names = {"product": organization.product.name, "organization": organization.name}
    found = [
        _("From now on %(product)s follows the roster of %(organization)s.") % names,
        _classes(policy) % names,
        _("Assignments are not synced: give them, and take them, in %(product)s itself.") % names,
        _("Is something wrong or missing? Tell the school office: what they put right in the roster is here after the next sync."),
    ]  # fmt: skip
    return found


def _classes(policy: Policy) -> str:
    if not policy.classes.sync:
        return _("Your account and your schools are kept up to date by themselves. Classes are not synced.")
    if policy.classes.form == "group":
        return _(
            "Each of your classes is a group in %(product)s, with the pupils who are in it. Who joins or leaves the class does so here too."
        )
    return _(
        "Your classes are in %(product)s, with the pupils who are in them. Who joins or leaves a class does so here too."
    )
