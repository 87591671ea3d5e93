"""What the addresses of the people who work in a district do: a flow acts, JSON is answered. `intake` says who may."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from rollbook.api.sent import BadBody, Json, answered, sent, text, texts
from rollbook.flows import operators
from rollbook.flows.roles import Role, reach_of
from rollbook.refusal import Refusal
from rollbook.store.models import LastSignIn, Operator, OperatorToken

Handle = Callable[[HttpRequest, OperatorToken, dict[str, int]], HttpResponse]


class NoSuchPost(Refusal):
    """Nobody works in this district under this number."""


STATUS: dict[type[Refusal], int] = {
    NoSuchPost: 404,
    **dict.fromkeys((operators.SchoolsForSchools, operators.NoSuchSchool, operators.RoleNeedsDistrict), 422),
}


def _operators(_: HttpRequest, token: OperatorToken, __: dict[str, int]) -> HttpResponse:
    found = Operator.objects.filter(district=token.district).select_related("account", "district")
    return answered({"operators": _told(token, list(found.order_by("account__email", "id")))})


def _add(request: HttpRequest, token: OperatorToken, _: dict[str, int]) -> HttpResponse:
    asked = sent(request, "email", "name", "role", "schools")
    operator = operators.add_operator(
        text(asked, "email"),
        _role(asked),
        token.district,
        text(asked, "name"),
        schools=texts(asked, "schools"),
    )
    [told] = _told(token, [operator])
    link = operators.password_link(operator.account) if told["isYours"] and not told["hasPassword"] else None
    return answered(told | {"passwordLink": link}, 201)


def _edit(request: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    """All that was sent is judged before any of it is done."""
    operator = _post(token, numbers)
    asked = sent(request, "role", "schools", "active")
    if not isinstance(asked.get("active", True), bool):
        raise BadBody("active")
    role = _role(asked) if "role" in asked else operator.role
    operators.judge_reach(operator.account, reach_of(token.account).districts)
    if "role" in asked or "schools" in asked:
        schools = texts(asked, "schools") if "schools" in asked else _kept(operator, role)
        operator = operators.change_role(operator, role, schools, by=token.account)
    if "active" in asked:
        if asked["active"]:
            operators.reactivate(operator.account)
        else:
            operators.deactivate(operator.account, by=token.account)
    return answered(_told(token, [operator])[0])


def _kept(operator: Operator, role: str) -> list[str]:
    """The schools of somebody who stays a school administrator."""
    return operators.school_ids(operator) if role == Role.SCHOOL else []


def _role(asked: Json) -> str:
    """Raises BadBody; the installation's own operators are made on the server alone."""
    role = text(asked, "role")
    if role not in Operator.OperatorRole.values:
        raise BadBody("role")
    return role


def _link(_: HttpRequest, token: OperatorToken, numbers: dict[str, int]) -> HttpResponse:
    account = _post(token, numbers).account
    operators.judge_reach(account, reach_of(token.account).districts)
    return answered({"passwordLink": operators.password_link(account)}, 201)


def _post(token: OperatorToken, numbers: dict[str, int]) -> Operator:
    here = Operator.objects.filter(district=token.district).select_related("account", "district")
    operator = here.filter(pk=numbers["operator"]).first()
    if operator is None:
        raise NoSuchPost(str(numbers["operator"]))
    return operator


def _told(token: OperatorToken, posts: list[Operator]) -> list[Json]:
    accounts, mine = [post.account_id for post in posts], reach_of(token.account).districts
    elsewhere = set() if mine is None else operators.working_elsewhere(accounts, mine)
    seen = dict(LastSignIn.objects.filter(pk__in=accounts).values_list("account_id", "at"))
    return [
        {
            "id": post.pk, "email": post.account.email, "name": post.name, "role": post.role,
            "schools": operators.school_ids(post) if post.schools else [], "active": post.account.is_active,
            "hasPassword": post.account.has_usable_password(), "lastSignIn": seen.get(post.account_id),
            "isYours": post.account_id not in elsewhere,
        }
        for post in posts
    ]  # fmt: skip


HANDLES: dict[str, Handle] = {
    "operators": _operators,
    "add_operator": _add,
    "edit_operator": _edit,
    "make_password_link": _link,
}
