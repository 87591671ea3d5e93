"""The demo: one district with its roster, an operator, a catalogue and two apps, with passwords and secrets new at every start; and the other
side, organizations that take a roster in (`demo_organizations`), and how its people sign in (`demo_sign_in`).

Nothing else in Rollbook needs it, and nothing it does cannot be done with the other commands.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from rollbook.engine.scope import ALL, FULL, Choice, Rule, Scope, basic
from rollbook.flows.apps import Key, add_key, grant_of, revoke_key
from rollbook.flows.connections import upload_of
from rollbook.flows.demo_catalogue import DEVELOPER, MATHS, READER, enter_catalogue
from rollbook.flows.demo_organizations import (
    ADMINISTRATOR,
    SUPPORTER,
    DemoOrganization,
    set_up_organizations,
)
from rollbook.flows.demo_sign_in import DemoSignIn, set_up_sign_in
from rollbook.flows.districts import add_district
from rollbook.flows.ingest import Prepared, carry_out, prepare
from rollbook.flows.operators import DISTRICT, add_operator, set_password
from rollbook.flows.publish import set_rule
from rollbook.store.models import App, Credential, District, Grant, Operator, Org, Organization

OPERATOR = "admin@riverbend.example"
TIME_ZONE = "America/Chicago"
APPS = ((READER, "full"), (MATHS, "basic"))


@dataclass(frozen=True)
class DemoApp:
    """An app of the demo with the key it got at this start."""

    name: str
    permission: str
    key: Key


@dataclass(frozen=True)
class Demo:
    """What this start of the demo set up. `password` is the operator's, and that of `developer`, who works for a partner, of
    `administrator`, who administers all `organizations`, and of `supporter`, of their product's support.
    """

    district: District
    loaded: Prepared
    email: str
    developer: str
    administrator: str
    supporter: str
    password: str
    apps: tuple[DemoApp, ...]
    organizations: tuple[DemoOrganization, ...]
    sign_in: DemoSignIn


def set_up(name: str, package: Path) -> Demo:
    """The district called `name` with the roster of `package`, made or brought up to date. Raises NotAPackage."""
    district = District.objects.filter(name=name).first() or add_district(name, TIME_ZONE)
    loaded = prepare(upload_of(district), package, "demo")
    carry_out(loaded)
    password = secrets.token_urlsafe(12)
    _operator(district, password)
    set_password(enter_catalogue().account, password)
    apps = tuple(_app(district, *app) for app in APPS)
    organizations = set_up_organizations(district, password)
    sign_in = set_up_sign_in(district, Organization.objects.get(pk=organizations[0].number))
    return Demo(
        district,
        loaded,
        OPERATOR,
        DEVELOPER,
        ADMINISTRATOR,
        SUPPORTER,
        password,
        apps,
        organizations,
        sign_in,
    )


def _operator(district: District, password: str) -> None:
    known = Operator.objects.filter(account__email=OPERATOR, district=district).first()
    if known is None:
        add_operator(OPERATOR, DISTRICT, district, "Demo administrator", password)
    else:
        set_password(known.account, password)


def _app(district: District, name: str, permission: str) -> DemoApp:
    app = App.objects.get(name=name)
    grant = grant_of(district, app) or Grant(district=district, app=app, enabled=True)
    rule = FULL if permission == Grant.Permission.FULL else _first_school(district)
    if grant.rule != rule.canonical():
        set_rule(grant, rule, f"what {name} may see")
    # Not the bearer of the partner API: once revoked, it is not made anew by itself.
    for old in Credential.objects.filter(grant=grant, revoked_at=None, bearer=None):
        revoke_key(old.client_id)
    return DemoApp(name, permission, add_key(grant, oauth1=True, name="demo"))


def _first_school(district: District) -> Rule:
    """A basic grant to one school; to none where the roster has none yet."""
    school = (
        Org.objects.filter(district=district, type="school", status="active").order_by("name", "id").first()
    )
    return basic(Scope(Choice(ids=(school.id,) if school else ()), ALL))
