"""`rollbook group`: the classes and groups of an organization's directory, and what is done with them by hand."""

from typing import Annotated

import typer

from rollbook.cli.columns import Row, answer, show
from rollbook.engine.sync.operations import ACTIVE, ARCHIVED
from rollbook.flows import groups
from rollbook.flows.directory import find_organization, find_site
from rollbook.flows.members import find_member
from rollbook.store.models import Group

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Of = Annotated[str, typer.Argument(metavar="ORGANIZATION", help="The organization's number or name.")]
Which = Annotated[str, typer.Argument(metavar="GROUP", help="The class's or group's number or title.")]
Who = Annotated[
    str, typer.Argument(metavar="MEMBER", help="The member's number, e-mail address or username.")
]

verbs = typer.Typer(no_args_is_help=True, help="The classes and groups of an organization's directory.")


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="group")


@verbs.command("list")
def list_groups(
    organization: Of,
    site: Annotated[str, typer.Option(help="Only those of this site: its number or name.")] = "",
    archived: Annotated[bool, typer.Option("--archived", help="The archived ones instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the classes and groups, by title."""
    found = find_organization(organization)
    where = find_site(found, site) if site else None
    rows = [_row(one) for one in groups.groups(found, where, ARCHIVED if archived else ACTIVE)]
    show(rows, as_json, "a sync makes them, or `rollbook group add`")


@verbs.command("show")
def show_group(organization: Of, group: Which, as_json: AsJson = False) -> None:
    """Show who is in a class or group, and by whose word: a sync connection's, or a person's."""
    found = groups.memberships(groups.find_group(find_organization(organization), group))
    people = groups.people_of(found)
    rows: list[Row] = [
        {
            "member": one.member_id,
            "givenName": people[one.member_id].given_name,
            "familyName": people[one.member_id].family_name,
            "role": one.role,
            "by": f"sync connection {one.connection_id}" if one.connection_id else "hand",
        }
        for one in found
    ]
    show(rows, as_json, "a sync puts people in, or `rollbook group put-in`")


@verbs.command()
def add(
    organization: Of,
    title: Annotated[str, typer.Argument(help="The group's title.")],
    site: Annotated[str, typer.Option(help="The site it belongs to: its number or name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a group by hand. Syncs leave it alone."""
    found = find_organization(organization)
    made = groups.add_group(found, title, find_site(found, site) if site else None)
    answer(_row(made), f"{made.title} is group {made.id}.", as_json)


@verbs.command()
def title(
    organization: Of,
    group: Which,
    title: Annotated[str, typer.Argument(help="The new title.")],
    why: Annotated[str, typer.Option(help="Why; kept with it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Give a class or group another title by hand. Syncs keep it."""
    found = groups.rename(groups.find_group(find_organization(organization), group), title, why)
    answer(_row(found), f"Group {found.id} is {found.title}.", as_json)


@verbs.command("put-in")
def put_in(
    organization: Of,
    group: Which,
    member: Who,
    role: Annotated[str, typer.Option(help=f"What they are there: {', '.join(groups.ROLES)}.")] = "student",
    as_json: AsJson = False,
) -> None:
    """Put a member into a class or group by hand. No sync takes them out."""
    where = find_organization(organization)
    found = groups.put_in(groups.find_group(where, group), find_member(where, member), role)
    told: Row = {"group": found.group_id, "member": found.member_id, "role": found.role}
    answer(told, f"Member {found.member_id} is in group {found.group_id}.", as_json)


@verbs.command("take-out")
def take_out(organization: Of, group: Which, member: Who, as_json: AsJson = False) -> None:
    """Take a member out whom somebody put in by hand."""
    where = find_organization(organization)
    found, who = groups.find_group(where, group), find_member(where, member)
    groups.take_out(found, who)
    words = f"Member {who.id} is in group {found.id} by hand no more."
    answer({"group": found.id, "member": who.id}, words, as_json)


@verbs.command()
def archive(organization: Of, group: Which, as_json: AsJson = False) -> None:
    """Archive a group that people made, with who is in it. What comes from a roster is archived by its sync."""
    found = groups.archive(groups.find_group(find_organization(organization), group))
    words = f"Group {found.id} is archived; `rollbook group restore` brings it back."
    answer(_row(found), words, as_json)


@verbs.command()
def restore(
    organization: Of,
    group: Which,
    why: Annotated[str, typer.Option(help="Why; kept with it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Bring an archived class or group back, with who was in it. No sync archives it then."""
    found = groups.restore(groups.find_group(find_organization(organization), group, ARCHIVED), why)
    answer(_row(found), f"Group {found.id} is {found.state}.", as_json)


@verbs.command()
def follow(
    organization: Of,
    group: Which,
    field: Annotated[str, typer.Argument(help="The field: title, or state.")],
    as_json: AsJson = False,
) -> None:
    """End what was set by hand of a class or group: the next sync says what it is."""
    found = groups.find_group(find_organization(organization), group)
    groups.follow(found, field)
    answer(_row(found), f"{field} follows the roster again, from the next sync on.", as_json)


def _row(one: Group) -> Row:
    return {
        "group": one.id,
        "title": one.title,
        "form": one.form,
        "site": one.site_id,
        "central": one.central,
        "members": groups.memberships(one).values("member_id").distinct().count(),
    }
