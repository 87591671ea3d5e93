"""Find, Explain, sanity check and *Which apps see this?* in the console: what they show, to whom, and to whom not."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.engine.scope import ALL, Choice, Scope, basic
from rollbook.flows import operators, sanity
from rollbook.flows.publish import publish
from rollbook.flows.roles import Role
from rollbook.store.models import Account, District, Grant
from tests import cast
from tests.console.conftest import PASSWORD
from tests.console.roster import Ids
from tests.console.test_dashboard import text_of
from tests.delivered import a_grant


@pytest.fixture
def grant(ids: Ids, district: District) -> Grant:
    """An app that sees the high school."""
    publish(district.pk, None, "a test")
    district.refresh_from_db()
    return a_grant(district, basic(Scope(Choice(ids=(ids["orgs"][cast.RIVERBEND_HIGH],)), ALL)), "MathTrail")


@pytest.fixture
def as_role(district: District, signed_in: Callable[[Account], Client]) -> Callable[[Role], Client]:
    def sign_in(role: Role, **more: object) -> Client:
        made = operators.add_operator(
            f"{role.name.lower()}@riverbend.example", role, district, "Somebody", PASSWORD, **more
        )  # type: ignore[arg-type]
        return signed_in(made.account)

    return sign_in


def path(route: str, grant: Grant, **more: object) -> str:
    return reverse(route, kwargs={"tenant": grant.district_id, "grant_id": grant.pk, **more})


def test_find_shows_whom_the_app_sees_and_leads_to_their_records(console: Client, grant: Grant):
    page = console.get(path("app-find", grant), {"q": "okonkwo"})
    assert "Amara Okonkwo" in text_of(page)
    assert "Student at org-high" in text_of(page)
    assert "Kofi" not in text_of(page)
    record = console.get(path("app-found", grant, collection="users"), {"id": cast.AMARA})
    text = text_of(record)
    assert "Enrollments" in text
    assert "Organizations above them" in text
    assert "for reference only" in text
    assert "birthDate" in text
    assert "2010" not in text, "that a birth date is shared is told, and not which"
    assert console.get(path("app-found", grant, collection="users"), {"id": cast.KOFI}).status_code == 404
    assert console.get(path("app-found", grant, collection="orgs"), {"id": "x"}).status_code == 404


def test_a_class_stands_with_its_people(console: Client, grant: Grant):
    text = text_of(console.get(path("app-found", grant, collection="classes"), {"id": cast.ALGEBRA}))
    assert "Students" in text
    assert "Teachers" in text


def test_who_is_not_found_is_explained(console: Client, grant: Grant, ids: Ids):
    page = console.get(path("app-find", grant), {"q": cast.KOFI})
    assert "This app sees nothing like that" in text_of(page)
    page = console.get(path("app-explain", grant), {"q": cast.KOFI})
    text = text_of(page)
    assert "This app does not see it" in text
    assert "Its school Riverbend Elementary School is not chosen." in text
    assert "Who may: installation operator, district administrator." in text
    assert "Kofi" not in text, "who asked knows the id, and learns no more"
    assert f'href="{path("app-permissions", grant)}"' in page.content.decode()
    by_number = console.get(path("app-explain", grant), {"users": ids["users"][cast.AMARA]})
    assert "This app sees it" in text_of(by_number)
    assert "There is no person with this id" in text_of(
        console.get(path("app-explain", grant), {"q": "nobody"})
    )


def test_a_persons_page_leads_to_the_apps_that_see_them(
    console: Client, grant: Grant, ids: Ids, district: District
):
    number = ids["users"][cast.KOFI]
    page = console.get(
        reverse("record", kwargs={"tenant": district.pk, "collection": "users", "record_id": number})
    )
    assert "Which apps see this?" in text_of(page)
    apps = reverse("record-apps", kwargs={"tenant": district.pk, "collection": "users", "record_id": number})
    text = text_of(console.get(apps))
    assert "MathTrail No Its school Riverbend Elementary School is not chosen." in text
    missing = reverse(
        "record-apps", kwargs={"tenant": district.pk, "collection": "users", "record_id": 99_999}
    )
    assert console.get(missing).status_code == 404


def test_a_check_is_asked_for_shown_and_downloaded(console: Client, grant: Grant):
    assert "has not been checked yet" in text_of(console.get(path("app-sanity", grant)))
    console.post(path("app-sanity-start", grant))
    page = console.get(path("app-sanity", grant))
    assert "It waits for a worker." in text_of(page)
    assert console.get(path("app-sanity-progress", grant)).status_code == 200
    assert sanity.walk_next()
    assert console.get(path("app-sanity-progress", grant))["HX-Refresh"] == "true"
    page = console.get(path("app-sanity", grant))
    assert "The eight questions" in text_of(page)
    assert "Classes without teachers" in text_of(page)
    [made] = sanity.checks_of(grant)
    answer = console.get(path("app-sanity-csv", grant, check_id=made.pk))
    assert answer.content.decode().startswith("group,line,severity")
    assert console.get(path("app-sanity", grant), {"check": made.pk + 1}).status_code == 404


def test_limits_and_times_are_set_and_lifted(console: Client, grant: Grant):
    limit = {"line": "classes-without-teachers", "percent": "5"}
    assert console.post(path("app-sanity-limit", grant), limit).status_code == 302
    assert "Classes without teachers: 5 %" in text_of(console.get(path("app-sanity", grant)))
    console.post(path("app-sanity-limit", grant), limit | {"percent": ""})
    assert "Lift" not in text_of(console.get(path("app-sanity", grant)))
    wrong = console.post(path("app-sanity-limit", grant), limit | {"percent": "many"})
    assert wrong.status_code == 422
    assert console.post(path("app-sanity-plan", grant), {"times": "05:30", "day": ["mon"]}).status_code == 302
    assert "Next:" in text_of(console.get(path("app-sanity", grant)))
    assert console.post(path("app-sanity-plan", grant), {"times": "late", "day": ["mon"]}).status_code == 422


def test_licences_are_entered_and_left_out_again(console: Client, grant: Grant):
    entered = {"licences": "1,500", "licensed": "students"}
    assert console.post(path("app-sanity-licences", grant), entered).status_code == 302
    page = console.get(path("app-sanity", grant)).content.decode()
    assert 'value="1500"' in page
    assert '<option value="students" selected>' in page
    assert console.post(path("app-sanity-licences", grant), entered | {"licences": "many"}).status_code == 422
    console.post(path("app-sanity-licences", grant), entered | {"licences": ""})
    assert 'value="1500"' not in console.get(path("app-sanity", grant)).content.decode()


def test_the_help_desk_finds_and_explains_and_checks_nothing(as_role: Callable[[Role], Client], grant: Grant):
    desk = as_role(Role.HELP_DESK)
    assert desk.get(path("app-find", grant), {"q": cast.AMARA}).status_code == 200
    page = desk.get(path("app-explain", grant), {"q": cast.KOFI})
    assert page.status_code == 200
    assert path("app-permissions", grant) not in page.content.decode().split("<ol", 1)[1], (
        "they may not change it"
    )
    assert desk.get(path("app-sanity", grant)).status_code == 404
    assert desk.post(path("app-sanity-limit", grant), {}).status_code == 404
    assert desk.post(path("app-sanity-licences", grant), {}).status_code == 404


def test_a_school_administrator_sees_people_of_their_schools(
    as_role: Callable[..., Client], grant: Grant, ids: Ids
):
    middle = as_role(Role.SCHOOL, schools=[cast.RIVERBEND_MIDDLE])
    assert cast.AMARA not in text_of(middle.get(path("app-find", grant), {"q": "a"}))
    assert middle.get(path("app-found", grant, collection="users"), {"id": cast.AMARA}).status_code == 404
    assert middle.get(path("app-explain", grant), {"q": cast.AMARA}).status_code == 404
    whole = sanity.check_now(grant, "a test")
    assert middle.get(path("app-sanity", grant), {"check": whole.pk}).status_code == 404
    middle.post(path("app-sanity-start", grant))
    assert sanity.walk_next()
    assert "your schools only" in text_of(middle.get(path("app-sanity", grant)))
