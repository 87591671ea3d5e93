"""The table of who may do what, cell by cell, against a second one written by hand; and where a post lets somebody do it."""

import pytest

from rollbook.api.intake_routes import ROUTES
from rollbook.api.sync_routes import OF_SYNC
from rollbook.console import urls
from rollbook.flows import operators
from rollbook.flows.districts import add_district
from rollbook.flows.roles import (
    IN_A_DISTRICT,
    MAY,
    OF_A_DISTRICT,
    OF_A_PRODUCT,
    ON_A_PRODUCTS_SIDE,
    Act,
    Role,
    may,
    reach_of,
)
from rollbook.store.models import Account, Developer, Operator, Org
from tests.delivered import a_district

ORDER = (
    Role.INSTALLATION, Role.DISTRICT, Role.SCHOOL, Role.PRIVACY, Role.HELP_DESK,
    Role.PARTNER, Role.ORGANIZATION, Role.SITE, Role.SUPPORT,
)  # fmt: skip
WRITTEN = """
    SEE_DASHBOARD           x x x x x  . . . .
    SEE_ROSTER              x x . . .  . . . .
    SEE_DEMOGRAPHICS        x x . . .  . . . .
    EDIT_ROSTER             x x . . .  . . . .
    SEE_IMPORTS             x x . . .  . . . .
    SEE_SETTINGS            x x . . .  . . . .
    MANAGE_OPERATORS        x x . . .  . . . .
    DECIDE_HOLDS            x x . . .  . . . .
    MANAGE_LIMITS           x x . . .  . . . .
    MANAGE_CONNECTIONS      x x . . .  . . . .
    MANAGE_SNAPSHOTS        x x . . .  . . . .
    COMPARE                 x x . . .  . . . .
    MANAGE_SEVERITIES       x x . . .  . . . .
    MANAGE_TOKENS           x x . . .  . . . .
    MANAGE_CALENDAR         x x . . .  . . . .
    MANAGE_LAUNCH_PAD       x x . . .  . . . .
    HAND_OUT_SIGN_INS       x x x . x  . . . .
    SEE_APPS                x x x x x  . . . .
    REQUEST_APP             x x x x .  . . . .
    MANAGE_APPS             x x . . .  . . . .
    SEE_PERMISSIONS         x x . x .  . . . .
    EDIT_PERMISSIONS        x x . . .  . . . .
    APPROVE_PERMISSIONS     x x . x .  . . . .
    OPT_OUT                 x x . x .  . . . .
    MANAGE_KEYS             x x . . .  . . . .
    FIND                    x x x x x  . . . .
    EXPLAIN                 x x . x x  . . . .
    CHECK_SANITY            x x x x .  . . . .
    MANAGE_DELIVERIES       x x . . .  . . . .
    WRITE_TO_DEVELOPER      x x . . .  . . . .
    SEE_ACCESS_HISTORY      x x . x .  . . . .
    SEE_AUDIT               x x . x .  . . . .
    SEE_CATALOGUE           x x x x .  . . . .
    MANAGE_CATALOGUE        x . . . .  . . . .
    SEE_INSTALLATION_AUDIT  x . . . .  . . . .
    ACKNOWLEDGE_ALARMS      x . . . .  . . . .
    SEE_OWN_APPS            . . . . .  x . . x
    CHECK_OWN_SANITY        . . . . .  x . . x
    REGISTER_APPS           . . . . .  x . . .
    MANAGE_OWN_KEYS         . . . . .  x . . .
    MANAGE_DEVELOPERS       . . . . .  x . . .
    SEE_ROSTERING           . . . . .  . x x .
    MANAGE_ROSTERING        . . . . .  . x . .
    SEE_MEMBERS             . . . . .  . x x .
    MANAGE_MEMBERS          . . . . .  . x . .
    MANAGE_ADMINISTRATORS   . . . . .  . x . .
    SEE_SIGN_IN             . . . . .  . x x .
    MANAGE_SIGN_IN          . . . . .  . x . .
    SUPPORT_ROSTERING       . . . . .  . . . x
    MANAGE_SIGN_IN_CLIENTS  . . . . .  . . . x
"""
TABLE = {line.split()[0]: line.split()[1:] for line in WRITTEN.strip().splitlines()}


@pytest.mark.parametrize("act", TABLE)
def test_each_cell_says_what_was_decided(act: str):
    said = ["x" if may(role, Act[act]) else "." for role in ORDER]
    assert said == TABLE[act]


def test_no_act_and_no_cell_is_missing():
    assert set(TABLE) == {act.name for act in Act} == {act.name for act in MAY}
    assert all(len(cells) == len(ORDER) for cells in TABLE.values())


@pytest.mark.parametrize("role", [*OF_A_PRODUCT, "somebody"])
def test_who_belongs_to_a_product_or_nowhere_may_do_nothing_in_a_district(role: str):
    assert not [act for act in IN_A_DISTRICT if may(role, act)]


def test_every_role_stands_on_one_side_and_no_act_on_both():
    assert sorted(Role) == sorted({*OF_A_DISTRICT, *OF_A_PRODUCT})
    assert len(Role) == len(OF_A_DISTRICT) + len(OF_A_PRODUCT)
    assert not [act for act in ON_A_PRODUCTS_SIDE if {*MAY[act]} - {*OF_A_PRODUCT}]
    assert not [act for act in {*MAY} - {*ON_A_PRODUCTS_SIDE} if {*MAY[act]} - {*OF_A_DISTRICT}]


def test_an_operator_has_a_role_of_the_districts_side_and_who_works_for_a_partner_one_of_the_products():
    assert {str(role) for role in Operator.OperatorRole} == {str(role) for role in OF_A_DISTRICT}
    assert {str(role) for role in Developer.DeveloperRole} <= {str(role) for role in OF_A_PRODUCT}


def test_every_call_of_the_api_names_what_one_must_be_allowed():
    assert [route.name for route in ROUTES if route.is_open] == ["document"]
    of_operators = [route for route in ROUTES if not route.is_open and not route.path.startswith(OF_SYNC)]
    assert not [route.name for route in of_operators if not isinstance(route.act, Act)]


OPEN_TO_ALL = {
    "home", "validate", "validate-findings", "validate-finding", "app-logo", "account_login", "account_logout",
    "account_inactive", "account_change_password", "account_reset_password", "account_reset_password_done",
    "account_reset_password_from_key_done", "account_reset_password_from_key", "roster-invitation-link",
    "roster-invitation-now", "connect-back",
    "enter", "enter-by", "enter-back", "me", "me-leave", "me-left", "own-door", "own-door-go", "own-door-back",
    "own-door-left", "own-door-out", "own-door-out-back",
    "mfa_authenticate", "mfa_login_webauthn", "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn",
    "mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "way-remove", "mfa_view_recovery_codes", "codes-make", "sessions", "session-end",
    "sessions-end-others", "broker-description", "broker-keys", "broker-authorize", "broker-choose",
    "broker-elsewhere", "broker-token", "broker-userinfo", "broker-logout", "broker-leave",
    "launch-pad", "launch-password", "launch-choose", "launch-link", "launch-badge", "launch-pin", "launch-provider",
    "launch-provider-back", "launch-app", "launch-leave", "launch-teaching",
    "launch-teaching-pin", "launch-teaching-badges",
}  # fmt: skip
"""Pages of nobody's data: signing in, one's own password, second steps and sessions, checking a package of one's own, a logo, the choice of
one's districts, the link of an invitation, which leads to a page of the district; the way back from a hub, which leads to one of the
organization.

Who works here may come by a service of their own (tests/console/test_own_door.py). Members come in by a door of their own, and see there what
is theirs (tests/console/test_entering.py); so do a district's people at its launch pad (tests/console/test_launch_pad.py).
"""


def test_every_page_names_what_one_must_be_allowed_or_is_open_to_all_on_purpose():
    nameless = {
        route.name
        for route in walk(urls.urlpatterns)
        if not isinstance(getattr(route.callback, "act", None), Act)
    }
    assert nameless - {"partner"} == OPEN_TO_ALL  # the choice among one's own companies


def walk(routes):
    for route in routes:
        if hasattr(route, "url_patterns"):
            yield from walk(route.url_patterns)
        else:
            yield route


@pytest.fixture
def district(db: None):
    return a_district()


def post(district, role: str, *schools: str, email: str = "x@example.org") -> Account:
    return operators.add_operator(email, role, district, schools=schools).account


def school(district, sourced_id: str, number: int) -> Org:
    return Org.objects.create(
        district=district, id=number, connection_id=1, source_id=sourced_id, sourced_id=sourced_id, name=sourced_id,
        name_folded=sourced_id, type="school",
    )  # fmt: skip


def test_a_post_counts_in_its_district_and_an_installation_operators_in_every(district):
    other = add_district("Cedar Valley Schools")
    officer = reach_of(post(district, operators.PRIVACY))
    assert officer.may(Act.SEE_AUDIT, district.pk)
    assert not officer.may(Act.SEE_AUDIT, other.pk)
    everybody = reach_of(operators.add_operator("root@example.org", operators.INSTALLATION, None).account)
    assert everybody.may(Act.SEE_AUDIT, other.pk)
    assert everybody.may_here(Act.MANAGE_CATALOGUE)
    assert not officer.may_here(Act.MANAGE_CATALOGUE)


def test_a_school_administrator_is_bound_to_schools_until_another_post_frees_them(district):
    for number, sourced_id in enumerate(("north", "south"), 1):
        school(district, sourced_id, number)
    account = post(district, operators.SCHOOL, "north")
    assert reach_of(account).schools(Act.FIND, district.pk) == {1}
    assert reach_of(account).schools(Act.SEE_AUDIT, district.pk) == set()
    operators.add_operator("x@example.org", operators.HELP_DESK, district)
    assert reach_of(account).schools(Act.FIND, district.pk) is None
    assert reach_of(account).schools(Act.CHECK_SANITY, district.pk) == {1}


def test_schools_are_named_for_school_administrators_and_for_nobody_else(district):
    school(district, "north", 1)
    with pytest.raises(operators.SchoolsForSchools):
        post(district, operators.SCHOOL)
    with pytest.raises(operators.SchoolsForSchools):
        post(district, operators.HELP_DESK, "north")
    with pytest.raises(operators.NoSuchSchool, match="west"):
        post(district, operators.SCHOOL, "north", "west")
    with pytest.raises(operators.RoleNeedsDistrict):
        operators.add_operator("x@example.org", operators.PRIVACY, None)


def test_a_role_is_changed_by_somebody_else(district):
    account = post(district, operators.DISTRICT)
    operator = Operator.objects.get(account=account)
    with pytest.raises(operators.NotYourself):
        operators.change_role(operator, operators.HELP_DESK, by=account)
    operators.change_role(operator, operators.HELP_DESK)
    assert not reach_of(account).may(Act.MANAGE_KEYS, district.pk)
    with pytest.raises(operators.RoleNeedsDistrict):
        operators.change_role(operator, operators.INSTALLATION)
