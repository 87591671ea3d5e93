"""Choosing what an app may see, page after page, as a person who presses the buttons; without scripts, and without a browser."""

import html
import re

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.engine.choosing import Condition
from rollbook.engine.scope import ALL, FULL, NONE, Choice, Level, Rule, Scope, Treatment, basic
from rollbook.flows import approvals, apps, catalogue, operators
from rollbook.flows.permission_edits import edit_permissions
from rollbook.flows.publish import publish
from rollbook.store.models import Grant, GrantVersion, OptOut
from tests import cast
from tests.console.test_apps import of_district, path_to
from tests.console.test_dashboard import text_of


class Walk:
    """A person at the form: what a page shows is kept, what is given is typed, `press` sends it all."""

    def __init__(self, client: Client, url: str) -> None:
        self.client, self.url = client, url
        self.answer = client.get(url)

    @property
    def page(self) -> str:
        return self.answer.content.decode()

    @property
    def text(self) -> str:
        return text_of(self.answer)

    def press(self, go: str, **typed: object) -> "Walk":
        """Sends the form with what it holds, changed by `typed`: None takes a tick away, a list gives several."""
        fields = self.fields() | {name.replace("__", "-"): value for name, value in typed.items()}
        data = {name: value for name, value in fields.items() if value is not None}
        self.answer = self.client.post(self.url, {**data, "go": go})
        return self

    def fields(self) -> dict[str, object]:
        found: dict[str, object] = {}
        form = self.page[self.page.index('class="permission"') :]
        for tag in re.findall(r"<input [^>]*>", form):
            one = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            is_tick = one.get("type") in ("checkbox", "radio")
            if is_tick and not re.search(r"\schecked", tag):
                continue
            value = html.unescape(one.get("value", "on" if is_tick else ""))
            known = found.get(one["name"])
            found[one["name"]] = (
                value if known is None else [*(known if isinstance(known, list) else [known]), value]
            )
        for name, options in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
            chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(
                r'value="([^"]*)"', options
            )
            found[name] = html.unescape(chosen[1]) if chosen else ""
        return found


@pytest.fixture
def app(db):
    return apps.add_app("Reading Garden", "Garden Ltd")


@pytest.fixture
def adding(ids, console: Client, district, app) -> Walk:
    return Walk(console, of_district("app-add-one", district, app_id=app.pk))


def rule_of(grant: Grant) -> Rule:
    grant.refresh_from_db()
    return Rule.parse(grant.rule)


def test_the_way_leads_from_the_type_to_all_done_and_nothing_is_stored_before(adding, ids, district):
    school, course = ids["orgs"][cast.RIVERBEND_HIGH], ids["courses"][cast.ALGEBRA_COURSE]
    adding.press("next", level="basic", unenrolled="on", demographics=None)
    assert "Riverbend High School" in adding.text
    adding.press("next", extent="some", tick=[str(school)])
    assert "Only what I choose" in adding.text
    adding.press("next", extent="some", tick=[str(course)])
    assert "Confirm your selection" in adding.text
    assert "LIMITED ACCESS" in adding.text
    assert "For reference only Riverbend Unified School District" in adding.text
    assert "Organizations 1 of them for reference only" in adding.text
    assert not Grant.objects.exists()
    adding.press("save", why="For grade 9")
    grant = Grant.objects.get()
    assert adding.answer.url == path_to("app-added", grant)
    scope = Scope(Choice(ids=(school,)), Choice(ids=(course,)), unenrolled=True, demographics=False)
    assert rule_of(grant) == basic(scope)
    assert not grant.enabled
    done = text_of(adding.client.get(adding.answer.url))
    assert "All done!" in done
    assert "Enable now" in done
    assert GrantVersion.objects.get(grant=grant).why == "For grade 9"


def test_a_new_basic_app_begins_as_the_catalogue_says_what_it_needs(ids, console, district):
    app = catalogue.enter({"name": "Timetables", "needs": catalogue.parse("[]")})
    page = Walk(console, of_district("app-add-one", district, app_id=app.pk)).fields()
    assert {name: name in page for name in ("unenrolled", "demographics", "resources", "guardians", "deleted")} == {
        "unenrolled": False, "demographics": True, "resources": True, "guardians": False, "deleted": False,
    }  # fmt: skip


@pytest.mark.parametrize(("level", "rule"), [("none", NONE), ("full", FULL)])
def test_none_and_full_need_no_choices(adding, level, rule):
    adding.press("next", level=level)
    assert "Confirm your selection" in adding.text
    adding.press("save", enabled="on")
    grant = Grant.objects.get()
    assert (rule_of(grant), grant.enabled) == (rule, True)


def test_what_is_ticked_stays_over_searches_and_all_found_is_ticked_at_once(adding, ids):
    adding.press("next", level="basic").press("search", extent="some", q="high")
    high = str(ids["orgs"][cast.RIVERBEND_HIGH])
    adding.press("search", tick=[high], q="unified")
    assert "for reference only" in adding.page.split('class="ticks"')[1].split("</ul>")[0]
    adding.press("search", q="middle")
    assert high not in adding.page.split('name="shown"')[1].split(">")[0]
    adding.press("choose-found").press("search", q="", only="on")
    assert "2 of 4 ticked" in adding.text
    adding.press("search", tick=[high]).press("next", q="", only=None)
    adding.press("next", extent="all").press("save")
    assert rule_of(Grant.objects.get()).scopes[0].orgs == Choice(ids=(int(high),))


def test_an_org_is_ticked_with_all_below(adding, ids):
    whole = ids["orgs"][cast.DISTRICT]
    adding.press("next", level="basic").press("next", extent="some", below=[str(whole)])
    adding.press("next", extent="all").press("save")
    assert rule_of(Grant.objects.get()).scopes[0] == Scope(Choice(below=(whole,)), ALL)


def test_courses_are_chosen_by_query_with_what_it_finds_now(adding):
    adding.press("next", level="basic").press("next", extent="all")
    adding.press(
        "more", extent="some",
        **{"query-0-0-field": "title", "query-0-0-relation": "contains", "query-0-0-value": "algebra"},
    )  # fmt: skip
    assert "The queries find 1 now" in adding.text
    adding.press(
        "more", **{"query-0-1-field": "metadata.", "query-0-1-own": "track", "query-0-1-relation": "empty"}
    )
    adding.press("next").press("save")
    asked = (Condition("title", "contains", "algebra"), Condition("metadata.track", "empty"))
    assert rule_of(Grant.objects.get()).scopes[0].courses == Choice(queries=(asked,))


def test_a_query_that_cannot_be_asked_is_refused_in_words(adding):
    adding.press("next", level="basic").press("next", extent="all")
    adding.press("next", extent="some", **{"query-0-0-field": "title", "query-0-0-relation": "resembles"})
    assert adding.answer.status_code == 422
    assert "resembles" in adding.text


def test_classes_are_chosen_one_by_one(adding, ids):
    klass = ids["classes"][cast.ALGEBRA]
    adding.press("next", level="basic", way="classes")
    adding.press("next", tick=[str(klass)]).press("save")
    assert rule_of(Grant.objects.get()).scopes == (Scope(classes=(klass,)),)


def test_rules_stack_and_one_can_be_taken_out_again(adding, ids):
    high, middle = ids["orgs"][cast.RIVERBEND_HIGH], ids["orgs"][cast.RIVERBEND_MIDDLE]
    adding.press("next", level="basic").press("next", extent="some", tick=[str(high)])
    adding.press("type", extent="all").press("add-rule").press("add-rule", rule_name="Middle")
    assert "Rule 3 of 3" in adding.text
    adding.press("drop-rule:2").press("rule:1").press("next", rule_name="Middle")
    adding.press("next", extent="some", tick=[str(middle)]).press("next", extent="all").press("save")
    scopes = rule_of(Grant.objects.get()).scopes
    assert [(scope.name, scope.orgs.ids) for scope in scopes] == [("", (high,)), ("Middle", (middle,))]


def test_fields_are_masked_and_left_out_and_the_look_before_saving_shows_it(adding):
    adding.press("next", level="full").press("fields")
    adding.press(
        "confirm",
        **{
            "field-users.familyName": "mask",
            "field-users.email": "omit",
            "own-users": "house",
            "owns-users": "omit",
        },
    )
    assert "Family name · Mask" in adding.text
    adding.press("save")
    assert rule_of(Grant.objects.get()).treatments["users"] == {
        "familyName": Treatment.MASK, "email": Treatment.OMIT, "metadata.house": Treatment.OMIT,
    }  # fmt: skip


def test_permissions_are_copied_from_another_app(adding, ids, district):
    other = apps.grant_app(district, apps.add_app("MathTrail"), "basic", [cast.RIVERBEND_HIGH])
    adding.press("copy", copy_from=str(other.pk)).press("confirm").press("save")
    assert rule_of(Grant.objects.get(app__name="Reading Garden")) == rule_of(other)


def test_days_are_kept_and_wrong_ones_are_refused_before_anything_is_stored(adding):
    adding.press("next", level="full").press("confirm", starts_on="2027-06-30", ends_on="2027-01-01")
    assert "does not lie before the first" in adding.text
    assert 'value="save"' not in adding.page
    adding.press("save")
    assert adding.answer.status_code == 422
    assert not Grant.objects.exists()
    adding.press("save", starts_on="2027-01-01", ends_on="2027-06-30")
    grant = Grant.objects.get()
    assert (grant.starts_on, grant.ends_on) == ("2027-01-01", "2027-06-30")
    for page in ("app-permissions", "app-history"):
        shown = text_of(adding.client.get(path_to(page, grant)))
        assert "from Jan. 1, 2027 to June 30, 2027" in shown
    explained = text_of(adding.client.get(path_to("app-explain", grant), {"q": cast.AMARA}))
    assert "It sees nothing before Jan. 1, 2027." in explained


@pytest.mark.parametrize(
    "changed",
    [{"draft": "no json"}, {"draft": '{"rule":{"level":"all"}}'}, {"step": "nowhere"}, {"draft": "[]"}],
)
def test_a_form_that_no_page_of_ours_sent_is_a_bad_request(adding, changed):
    adding.press("next", **changed)
    assert adding.answer.status_code == 400
    assert not Grant.objects.exists()


@pytest.fixture
def grant(ids, district, app) -> Grant:
    publish(district.pk, None, "a test")
    return apps.grant_app(district, app, "basic", [cast.RIVERBEND_HIGH])


def test_permissions_are_edited_later_and_an_earlier_version_comes_back(console: Client, grant, ids):
    before = rule_of(grant)
    walk = Walk(console, path_to("app-permissions-edit", grant))
    walk.press("orgs")
    middle = str(ids["orgs"][cast.RIVERBEND_MIDDLE])
    walk.press("confirm", tick=[str(ids["orgs"][cast.RIVERBEND_HIGH]), middle]).press(
        "save", why="Middle school joins"
    )
    assert walk.answer.url == path_to("app-permissions", grant)
    assert "Riverbend High School, Riverbend Middle School" in text_of(console.get(walk.answer.url))
    assert "Middle school joins" in text_of(console.get(path_to("app-history", grant)))
    console.post(path_to("app-restore", grant, number=1))
    assert rule_of(grant) == before


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(console: Client, grant):
    walk = Walk(console, path_to("app-permissions-edit", grant)).press("next", level="none")
    edit_permissions(grant, FULL, by="somebody else")
    walk.press("save")
    assert walk.answer.status_code == 422
    assert rule_of(grant) == FULL


def test_what_needs_a_second_person_waits_until_somebody_else_approves(
    console: Client, grant, district, signed_in
):
    console.post(of_district("approval-set", district), {"full": "on"})
    assert approvals.approval_of(district).full
    walk = Walk(console, path_to("app-permissions-edit", grant)).press("next", level="full")
    assert "it lets the app see everything" in walk.text
    walk.press("save", why="The vendor asked")
    assert rule_of(grant).level is Level.BASIC
    [waiting] = approvals.open_requests(district)
    decide = of_district("approval-decide", district, request_id=waiting.pk)
    console.post(decide, {"how": "approve"})
    assert rule_of(grant).level is Level.BASIC
    officer = signed_in(operators.add_operator("umeh@riverbend.example", "privacy officer", district).account)
    assert "The vendor asked" in text_of(officer.get(of_district("approvals", district)))
    officer.post(decide, {"how": "approve", "answer": "For this term"})
    assert rule_of(grant) == FULL
    assert "Nothing waits" in text_of(console.get(of_district("approvals", district)))
    assert "For this term" in text_of(console.get(path_to("app-history", grant)))


def test_a_person_is_kept_back_from_an_app_and_comes_back(console: Client, grant, district):
    form = {"person": cast.AMARA, "reason": "A parent's letter"}
    assert console.post(path_to("app-optout-add", grant), form | {"reason": ""}).status_code == 422
    console.post(
        path_to("app-optout-add", grant), form | {"starts_on": "2026-01-02", "ends_on": "2031-01-03"}
    )
    made = OptOut.objects.get()
    assert made.grant == grant
    text = text_of(console.get(path_to("app-optouts", grant)))
    assert "Okonkwo" in text
    assert "This app" in text
    assert "from Jan. 2, 2026 to Jan. 3, 2031" in text
    console.post(path_to("app-optout-withdraw", grant, made_id=made.pk))
    assert "Nobody has opted out" in text_of(console.get(path_to("app-optouts", grant)))
    assert "withdrawn by" in text_of(console.get(path_to("app-optouts", grant) + "?past=1"))


def test_who_may_see_permissions_may_not_therefore_edit_them(grant, district, signed_in):
    officer = signed_in(operators.add_operator("umeh@riverbend.example", "privacy officer", district).account)
    assert officer.get(path_to("app-permissions", grant)).status_code == 200
    assert officer.get(path_to("app-permissions-edit", grant)).status_code == 404
    assert "Edit permissions" not in text_of(officer.get(path_to("app-permissions", grant)))
    assert (
        reverse("app-remove", kwargs={"tenant": district.pk, "grant_id": grant.pk})
        not in officer.get(path_to("app", grant)).content.decode()
    )


def test_the_catalogue_is_searched_and_shows_development_apps_when_asked(ids, console: Client, district):
    for name, vendor, in_development in (
        ("Reading Garden", "Garden Ltd", False),
        ("Beta Maths", "Trail Ltd", True),
    ):
        catalogue.enter({"name": name, "vendor": vendor, "in_development": in_development})
    shelf = of_district("app-add", district)
    text = text_of(console.get(shelf))
    assert "Reading Garden" in text
    assert "Beta Maths" not in text
    assert "1 in development is not shown" in text
    assert "DEV" in text_of(console.get(shelf, {"dev": "on", "q": "trail"}))
    assert "Reading Garden" not in text_of(console.get(shelf, {"dev": "on", "q": "trail"}))


def test_an_app_that_is_there_is_not_added_twice(console: Client, grant, district):
    answer = console.get(of_district("app-add-one", district, app_id=grant.app_id))
    assert answer.url == path_to("app", grant)
    assert edit_permissions(grant, FULL, by="a test") is None
