"""`rollbook grant`: what an app may see of a district."""

import json
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rollbook.cli import applications, permissions
from rollbook.cli.columns import show
from rollbook.engine.choosing import query_of
from rollbook.engine.scope import ALL, NONE, Choice, Level, Rule, Scope, access, basic, full
from rollbook.flows import apps
from rollbook.flows.approvals import open_requests
from rollbook.flows.districts import find_district
from rollbook.store.models import Grant, Org
from rollbook.store.visibility import record_ids

QUERY = 'as "FIELD RELATION VALUE", several joined by AND'
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Number = Annotated[int, typer.Argument(help="The grant's number: `rollbook grant list` shows it.")]


class GrantOrVerb(TyperGroup):
    """`rollbook grant 1 "Reading app" …` grants; `rollbook grant list` and the others are verbs of their own."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        verb = args if args[0] in self.commands else ["add", *args]
        return super().resolve_command(ctx, verb)


verbs = typer.Typer(cls=GrantOrVerb, no_args_is_help=True, help="What an app may see of a district.")
permissions.register(verbs)
applications.register(verbs)


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="grant")


@verbs.command()
def add(
    district: Annotated[str, typer.Argument(help="The district's Tenant ID, or its name.")],
    app: Annotated[str, typer.Argument(help="The app's name or number.")],
    permission: Annotated[
        Level, typer.Option(help="full: everything but guardians; basic: what is chosen; none: nothing.")
    ],
    school: Annotated[
        list[str] | None,
        typer.Option(help="For basic: an org's sourcedId, for itself alone. Repeat for more."),
    ] = None,
    below: Annotated[
        list[str] | None, typer.Option(help="For basic: an org's sourcedId, with all orgs below it.")
    ] = None,
    org_query: Annotated[
        list[str] | None, typer.Option(help=f"For basic: orgs by query, {QUERY}; repeat for others beside.")
    ] = None,
    all_schools: Annotated[
        bool, typer.Option("--all-schools", help="For basic: all orgs, new ones too.")
    ] = False,
    course: Annotated[
        list[str] | None,
        typer.Option(help="For basic: a course's sourcedId; without any, all courses. Repeat for more."),
    ] = None,
    course_query: Annotated[
        list[str] | None, typer.Option("--query", help=f"For basic: courses by query, {QUERY}.")
    ] = None,
    class_: Annotated[
        list[str] | None,
        typer.Option("--class", help="For basic: a class's sourcedId, instead of orgs and courses."),
    ] = None,
    case: Annotated[bool, typer.Option("--case", help="Queries tell upper and lower case apart.")] = False,
    unenrolled: Annotated[bool, typer.Option(help="People who are in no class.")] = False,
    elsewhere: Annotated[
        bool, typer.Option(help="With --unenrolled: people who are only in classes not shared, too.")
    ] = False,
    demographics: Annotated[bool, typer.Option(help="Demographics of the people shared.")] = True,
    resources: Annotated[bool, typer.Option(help="Resources of the classes and courses shared.")] = True,
    guardians: Annotated[bool, typer.Option(help="Guardians of the students shared.")] = False,
    deleted: Annotated[
        bool | None, typer.Option(help="Tell of what was deleted or is not shared any more. With full: yes.")
    ] = None,
    enabled: Annotated[
        bool, typer.Option("--enabled/--disabled", help="For a new app: whether it gets anything at once.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Let an app see a district, or see it otherwise than before. It reads with a key: `rollbook key add`."""
    owner = find_district(district)
    chosen = _Chosen(school, below, org_query, all_schools, course, course_query, class_, case)
    toggles: dict[str, Any] = {
        "unenrolled": unenrolled,
        "elsewhere": elsewhere,
        "demographics": demographics,
        "resources": resources,
    }
    rule = _rule(owner.pk, permission, chosen, toggles, guardians, deleted)
    grant = apps.set_permissions(owner, apps.find_app(app), rule, enabled=enabled)
    if as_json:
        typer.echo(json.dumps(_row(grant)))
    else:
        typer.echo(f"{grant.app.name} sees {grant.district.name}: grant {grant.pk}, {grant.permission}.")
    for request in open_requests(owner).filter(grant=grant):
        permissions.say(grant, request)


@dataclass(frozen=True)
class _Chosen:
    """What was named on the command line of a basic grant."""

    schools: list[str] | None
    below: list[str] | None
    org_queries: list[str] | None
    all_schools: bool
    courses: list[str] | None
    course_queries: list[str] | None
    classes: list[str] | None
    case: bool

    @property
    def names_orgs(self) -> bool:
        return bool(self.schools or self.below or self.org_queries or self.all_schools)

    @property
    def is_nothing(self) -> bool:
        return not (self.names_orgs or self.courses or self.course_queries or self.classes)

    def scope(self, district_id: int, toggles: dict[str, Any]) -> Scope:
        """Raises UnknownSchool, UnknownCourse, UnknownClass, BadCondition."""
        if self.classes:
            return replace(Scope(classes=record_ids(district_id, "classes", self.classes)), **toggles)
        courses = Choice(
            ids=record_ids(district_id, "courses", self.courses or ()),
            queries=tuple(query_of(text, self.case) for text in self.course_queries or ()),
        )
        return replace(Scope(self._orgs(district_id), ALL if courses.is_nothing else courses), **toggles)

    def _orgs(self, district_id: int) -> Choice:
        if self.all_schools:
            return ALL
        return Choice(
            ids=record_ids(district_id, "orgs", self.schools or ()),
            below=record_ids(district_id, "orgs", self.below or ()),
            queries=tuple(query_of(text, self.case) for text in self.org_queries or ()),
        )


def _rule(
    district_id: int,
    level: Level,
    chosen: _Chosen,
    toggles: dict[str, Any],
    guardians: bool,
    deleted: bool | None,
) -> Rule:
    """Raises SchoolsOnlyWithBasic, SchoolsNeeded and what `_Chosen.scope` raises."""
    if level is not Level.BASIC:
        if not chosen.is_nothing:
            raise apps.SchoolsOnlyWithBasic(str(level))
        return NONE if level is Level.NONE else full(guardians=guardians, deleted=deleted is not False)
    if not chosen.names_orgs and not chosen.classes:
        raise apps.SchoolsNeeded(str(level))
    return basic(chosen.scope(district_id, {**toggles, "guardians": guardians}), deleted=bool(deleted))


@verbs.command("list")
def list_grants(
    district: Annotated[int | None, typer.Option(help="Only those of this district.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what has been granted."""
    grants = Grant.objects.filter(removed_at=None).select_related("app", "district").order_by("pk")
    if district is not None:
        grants = grants.filter(district_id=district)
    show([_row(grant) for grant in grants], as_json, "`rollbook grant add` gives a district an app")


@verbs.command()
def enable(number: Number) -> None:
    """Let the app read again, with the keys it has."""
    apps.enable(apps.find_grant(number))
    typer.echo(f"Grant {number} is enabled.")


@verbs.command()
def disable(number: Number) -> None:
    """Give the app nothing from now on: no token, and 403 for those it holds."""
    apps.disable(apps.find_grant(number))
    typer.echo(f"Grant {number} is disabled.")


def _row(grant: Grant) -> dict[str, object]:
    return {
        "grant": grant.pk,
        "tenantId": grant.district_id,
        "district": grant.district.name,
        "app": grant.title,
        "permission": grant.permission,
        "orgAccess": str(access(Rule.parse(grant.rule))[0]),
        "courseAccess": str(access(Rule.parse(grant.rule))[1]),
        "schools": _schools(grant),
        "enabled": grant.enabled,
    }


def _schools(grant: Grant) -> list[str]:
    """The sourcedIds of the orgs chosen by name; none where all are, or where queries or classes choose."""
    scopes = Rule.parse(grant.rule).scopes
    chosen = {number for scope in scopes for number in (*scope.orgs.ids, *scope.orgs.below)}
    orgs = Org.objects.filter(district_id=grant.district_id, id__in=chosen)
    return list(orgs.order_by("sourced_id").values_list("sourced_id", flat=True))
