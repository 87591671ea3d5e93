"""The launch pad's pages: coming in and going out in one browser, and the district's pages that hand out what people come in by."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.connectors.openid_connect.server import forget_servers
from rollbook.console.launch_pad_people import badge_address, picture_of
from rollbook.flows import operators
from rollbook.flows.launching import apps, badges, coming_in, own_provider, pads, passwords
from rollbook.refusal import Refusal
from rollbook.store.models import AuditEntry, Badge, District, LaunchPad, LaunchSignIn, User
from tests import cast
from tests.connectors.identity import CLIENT_ID, SECRET, Replayed, replayed
from tests.delivered import a_grant

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
PASSWORD, PIN = "violet tractor", "4821"


@pytest.fixture
def pad(ids, district: District) -> LaunchPad:
    pads.set_ways(district, ["password", "badge"])
    return pads.switch(district, True)


def who(pad: LaunchPad, sourced_id: str) -> User:
    return User.objects.get(district=pad.district, sourced_id=sourced_id)


def at(pad: LaunchPad, name: str = "launch-pad", **more: object) -> str:
    return reverse(name, kwargs={"place": str(pad.district_id), **more})


def words(answer) -> str:
    return " ".join(re.sub("<[^>]+>", " ", answer.content.decode()).split())


def by_password(client: Client, pad: LaunchPad, sourced_id: str, password: str = PASSWORD):
    username = who(pad, sourced_id).username
    return client.post(at(pad, "launch-password"), {"username": username, "password": password})


def test_who_comes_in_by_a_first_password_chooses_their_own_and_leaves_nothing_behind(client: Client, pad):
    passwords.give_password(who(pad, cast.AMARA), PASSWORD, NOW)
    assert "Hello! Who are you?" in words(client.get(at(pad)))
    wrong = by_password(client, pad, cast.AMARA, "another one")
    assert wrong.status_code == 422
    assert "do not belong together" in words(wrong)
    assert by_password(client, pad, cast.AMARA).url == at(pad, "launch-choose")
    assert "Who are you?" in words(client.get(at(pad)))
    differ = client.post(at(pad, "launch-choose"), {"password": "my own violet", "again": "my own violets"})
    assert "not the same" in words(differ)
    chosen = client.post(at(pad, "launch-choose"), {"password": "my own violet", "again": "my own violet"})
    assert chosen.url == at(pad)
    assert "There are no apps for you here yet." in words(client.get(at(pad)))
    assert client.post(at(pad, "launch-leave")).url == at(pad)
    assert "Who are you?" in words(client.get(at(pad)))
    assert client.session.get("launch") is None


def test_a_badge_is_shown_then_its_pin_typed(client: Client, pad):
    kofi = who(pad, cast.KOFI)
    badges.set_pin(kofi, PIN)
    [badge] = badges.issue([kofi], NOW)
    assert client.get(at(pad, "launch-pin")).url == at(pad, "launch-badge")
    unknown = client.post(at(pad, "launch-badge"), {"code": "ABCD EFGH"})
    assert "not in use any more" in words(unknown)
    assert client.post(at(pad, "launch-badge"), {"code": badge.code}).url == at(pad, "launch-pin")
    assert f"Hello, {kofi.preferred_given_name or kofi.given_name}!" in words(
        client.get(at(pad, "launch-pin"))
    )
    wrong = client.post(at(pad, "launch-pin"), {"pin": "1357"})
    assert (wrong.status_code, "not the right PIN" in words(wrong)) == (422, True)
    assert client.post(at(pad, "launch-pin"), {"pin": PIN}).url == at(pad)
    badges.revoke(kofi, NOW)
    assert "Who are you?" in words(client.get(at(pad)))


def test_where_somebody_was_sent_from_they_are_led_back_to_and_nowhere_else(client: Client, pad):
    passwords.give_password(who(pad, cast.AMARA), PASSWORD, NOW, must_change=False)
    for wanted in ("https://evil.example/", "//evil.example/", "evil", ""):
        client.get(at(pad), {"next": wanted})
        assert by_password(client, pad, cast.AMARA).url == at(pad)
        client.post(at(pad, "launch-leave"))
    client.get(at(pad), {"next": "/openid/authorize?a=1&b=2"})
    page = by_password(client, pad, cast.AMARA)
    assert 'content="0;url=/openid/authorize?a=1&amp;b=2"' in page.content.decode()
    assert client.get(at(pad), {"next": "/openid/authorize?c=3"}).url == "/openid/authorize?c=3"


def test_who_comes_in_takes_the_place_of_whoever_was_in_this_browser(console: Client, pad):
    passwords.give_password(who(pad, cast.AMARA), PASSWORD, NOW, must_change=False)
    key = console.session.session_key
    by_password(console, pad, cast.AMARA)
    assert console.session.session_key != key
    assert console.get(reverse("dashboard", args=[pad.district_id])).status_code == 302


def test_a_closed_launch_pad_and_another_districts_are_not_there(client: Client, pad, elsewhere):
    passwords.give_password(who(pad, cast.AMARA), PASSWORD, NOW, must_change=False)
    by_password(client, pad, cast.AMARA)
    assert client.get(reverse("launch-pad", args=[elsewhere.pk])).status_code == 404
    pads.switch(elsewhere, True)
    assert "Who are you?" in words(client.get(reverse("launch-pad", args=[elsewhere.pk])))
    pads.switch(pad.district, False)
    assert client.get(at(pad)).status_code == 404


def test_a_link_lets_its_owner_choose_a_password(client: Client, pad):
    secret = passwords.make_link(who(pad, cast.AMARA), NOW)
    LaunchSignIn.objects.update(link_until=datetime.now(UTC).replace(year=2999))
    assert client.post(at(pad, "launch-link"), {"code": "none"}).status_code == 403
    assert client.post(at(pad, "launch-link"), {"code": secret}).url == at(pad, "launch-choose")
    client.post(at(pad, "launch-choose"), {"password": PASSWORD, "again": PASSWORD})
    assert client.session["launch"]["by"] == "password"


def test_a_teacher_gives_pins_and_prints_badges_for_their_own_classes_alone(client: Client, pad, ids):
    lindqvist, kofi, number = who(pad, cast.MS_LINDQVIST), who(pad, cast.KOFI), ids["classes"][cast.READING_3]
    passwords.give_password(lindqvist, PASSWORD, NOW, must_change=False)
    assert client.get(at(pad, "launch-teaching", class_id=number)).url == at(pad)
    by_password(client, pad, cast.MS_LINDQVIST)
    assert at(pad, "launch-teaching", class_id=number) in client.get(at(pad)).content.decode()
    assert "Kofi" in words(client.get(at(pad, "launch-teaching", class_id=number)))
    pin = at(pad, "launch-teaching-pin", class_id=number, user_id=kofi.id)
    assert client.post(pin, {"pin": "1234"}).status_code == 422
    assert client.post(pin, {"pin": PIN}).status_code == 302
    sheet = client.post(at(pad, "launch-teaching-badges", class_id=number))
    assert f'<a href="{at(pad, "launch-teaching", class_id=number)}">Back</a>' in sheet.content.decode()
    [code] = re.findall(r"Kofi.*?<code>([2-9A-Z ]{19})</code>", sheet.content.decode(), re.DOTALL)[:1]
    shown = badges.badge_of(pad.district_id, code)
    assert shown is not None
    for _ in range(5):
        with pytest.raises(Refusal):
            coming_in.by_pin(pad, shown.pk, "1357", NOW)
    assert "Open the badge again" in words(client.get(at(pad, "launch-teaching", class_id=number)))
    client.post(pin, {"unlock": "yes"})
    assert coming_in.by_pin(pad, shown.pk, PIN, NOW).user_id == kofi.id
    actors = AuditEntry.objects.filter(act="pin.set", object=cast.KOFI).values_list("actor", flat=True)
    assert list(actors) == [f"{cast.MS_LINDQVIST} (launch pad)"]
    algebra = ids["classes"][cast.ALGEBRA]
    amara = who(pad, cast.AMARA)
    assert client.get(at(pad, "launch-teaching", class_id=algebra)).status_code == 404
    other = at(pad, "launch-teaching-pin", class_id=number, user_id=amara.id)
    assert client.post(other, {"pin": PIN}).status_code == 404


# --- By the district's own provider --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running():
    with replayed() as one:
        yield one


@pytest.fixture
def idp(running: Replayed, pad: LaunchPad) -> Replayed:
    forget_servers()
    running.said, running.raw, running.algorithm = {}, "", "ES256"
    about = {"issuer": running.issuer, "client_id": CLIENT_ID, "client_secret": SECRET, "is_active": True}
    own_provider.set_provider(pad.district, "any", **about)
    pads.set_ways(pad.district, ["provider"])
    return running


def come_back(client: Client, pad: LaunchPad, idp: Replayed, **said: object):
    there = client.get(at(pad, "launch-provider")).url
    asked = {name: one[0] for name, one in parse_qs(urlsplit(there).query).items()}
    assert urlsplit(asked["redirect_uri"]).path == at(pad, "launch-provider-back")
    idp.said = {"nonce": asked["nonce"], **said}
    return client.get(at(pad, "launch-provider-back"), {"code": "c", "state": asked["state"]})


def test_the_districts_provider_lets_in_whom_the_roster_knows(client: Client, pad, idp):
    refused = come_back(client, pad, idp, sourcedId="student-999")
    assert refused.status_code == 403
    assert re.search(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b", words(refused))
    assert come_back(client, pad, idp, sourcedId=cast.AMARA).url == at(pad)
    assert client.session["launch"]["by"] == "provider"
    assert client.get(at(pad)).status_code == 200
    own_provider.remove_provider(pad.district)
    assert "Who are you?" in words(client.get(at(pad)))
    assert client.get(at(pad, "launch-provider")).status_code == 404


def test_an_answer_that_nobody_here_set_out_for_lets_nobody_in(client: Client, pad, idp):
    assert client.get(at(pad, "launch-provider-back"), {"code": "c", "state": "x"}).status_code == 403
    assert come_back(client, pad, idp, sourcedId=cast.AMARA, nonce="another").status_code == 403
    assert client.session.get("launch") is None


# --- The district's pages -------------------------------------------------------------------------------------------------------------


def here(pad: LaunchPad, name: str, *more: object) -> str:
    return reverse(name, args=[pad.district_id, *more])


def test_a_class_gets_a_sheet_of_badges_once_with_pins_for_the_teacher(console: Client, pad, ids):
    number = ids["classes"][cast.READING_3]
    page = console.get(here(pad, "launching-class", number))
    assert "Kofi" in words(page)
    sheet = console.post(here(pad, "launching-badges", number), {"whom": "missing", "pins": "yes"})
    assert "no-store" in sheet["Cache-Control"]
    assert f'<a href="{here(pad, "launching-class", number)}">Back</a>' in sheet.content.decode()
    made = Badge.objects.filter(district=pad.district).count()
    text = sheet.content.decode()
    codes = [one.replace(" ", "") for one in re.findall(r"<code>([2-9A-Z ]{19})</code>", text)]
    assert len(codes) == made > 5
    assert all(badges.badge_of(pad.district_id, code) for code in codes)
    assert picture_of(badge_address(pad.district, codes[0])) in text
    assert len(re.findall(r"<code>\d{4}</code>", text)) == made
    again = console.post(here(pad, "launching-badges", number), {"whom": "missing"})
    assert "Everybody has a badge already." in words(again)
    assert f"/launch/{pad.district_id}/badge#{codes[0]}" in badge_address(pad.district, codes[0])


@pytest.mark.parametrize(
    ("deed", "typed", "told"),
    [
        ("password", {"password": PASSWORD}, "First password"),
        ("password", {"password": "short"}, "at least 8 characters"),
        ("pin", {"pin": PIN}, "They have a new PIN."),
        ("pin", {"pin": "1234"}, "4 to 6 digits"),
        ("link", {}, "never again"),
        ("badge", {}, "Print this page now"),
        ("revoke", {}, "opens nothing any more"),
        ("unlock", {}, "open again"),
        ("reset", {}, "no password, PIN or badge any more"),
    ],
)
def test_what_one_person_comes_in_by_is_handed_out_and_taken_back(
    console: Client, pad, ids, deed, typed, told
):
    number = ids["users"][cast.KOFI]
    answer = console.post(here(pad, "launching-turn", number, deed), typed, follow=True)
    assert told in words(answer)


def test_the_district_opens_its_launch_pad_and_says_who_comes_in_how(console: Client, pad, ids):
    school = ids["orgs"][cast.RIVERBEND_ELEMENTARY]
    typed = {"usual": ["password"], "schools-0": [school], "grades-0": "3, 05", "ways-0": ["badge"]}
    assert console.post(here(pad, "launching-ways"), typed).status_code == 302
    pad.refresh_from_db()
    assert pad.rules == [{"schools": [school], "grades": ["05", "3"], "ways": ["badge"]}]
    refused = console.post(here(pad, "launching-ways"), {})
    assert (refused.status_code, "at least one has to be left" in words(refused)) == (422, True)
    assert console.post(here(pad, "launching-address"), {"slug": "riverbend"}).status_code == 302
    assert console.post(here(pad, "launching-address"), {"slug": "1"}).status_code == 422
    page = words(console.get(here(pad, "launching")))
    for told in ("/launch/riverbend", "Badges by class", "No app is connected"):
        assert told in page
    console.post(here(pad, "launching-switch"), {"to": "off"})
    assert not LaunchPad.objects.get(district=pad.district).is_on


def test_the_districts_own_provider_is_set_up_and_removed(console: Client, pad):
    typed = {"preset": "any", "name": "Ridge ID", "issuer": "https://idp.example", "rung": ["sourced-id"], "is_active": "yes"}  # fmt: skip
    refused = console.post(here(pad, "launching-provider"), typed)
    assert (refused.status_code, "client ID" in words(refused)) == (422, True)
    console.post(
        here(pad, "launching-provider"), typed | {"client_id": "rollbook", "client_secret": "s3-cret"}
    )
    page = console.get(here(pad, "launching-provider"))
    assert f"/launch/{pad.district_id}/provider/callback" in words(page)
    assert "s3-cret" not in page.content.decode()
    pads.set_ways(pad.district, ["provider"])
    assert "Ridge ID" in words(console.get(at(pad)))
    console.post(here(pad, "launching-provider"), {"remove": "yes"})
    assert "Ridge ID" not in words(console.get(at(pad)))


def test_an_apps_launch_date_is_set_on_its_edit_page(console: Client, pad):
    grant = a_grant(pad.district)
    edit = reverse("app-edit", kwargs={"tenant": pad.district_id, "grant_id": grant.pk})
    for typed, kept in (
        ({"from": "launch", "launches_on": "2026-09-01"}, "2026-09-01"),
        ({"from": "launch", "launches_on": ""}, None),
        ({"from": "launch-now"}, apps.today_of(pad.district, datetime.now(UTC))),
    ):
        assert console.post(edit, typed).status_code == 302
        grant.refresh_from_db()
        assert grant.launches_on == kept
    refused = console.post(edit, {"from": "launch", "launches_on": "soon"})
    assert (refused.status_code, "such as 2026-09-01" in words(refused)) == (422, True)
    assert f'value="{grant.launches_on}"' in console.get(edit).content.decode()


def test_first_passwords_come_from_a_file(console: Client, pad, tmp_path):
    file = tmp_path / "first.csv"
    file.write_text(f"sourcedId,password\n{cast.AMARA},{PASSWORD}\nnobody,{PASSWORD}\n")
    with file.open("rb") as content:
        page = words(console.post(here(pad, "launching-passwords"), {"file": content}))
    assert "1 person has a first password." in page
    assert "Line 3 nobody" in page
    assert console.post(here(pad, "launching-passwords")).status_code == 422


def test_a_school_administrator_hands_out_in_their_own_school_alone(signed_in, pad, ids):
    made = operators.add_operator(
        "s@riverbend.example", operators.SCHOOL, pad.district, schools=[cast.RIVERBEND_ELEMENTARY]
    )
    client = signed_in(made.account)
    found = words(client.get(here(pad, "launching-people"), {"q": "a"}))
    assert cast.AMARA not in found
    assert client.get(here(pad, "launching-person", ids["users"][cast.KOFI])).status_code == 200
    assert client.get(here(pad, "launching-person", ids["users"][cast.AMARA])).status_code == 404
    assert client.get(here(pad, "launching-class", ids["classes"][cast.ALGEBRA])).status_code == 404
    assert client.post(here(pad, "launching-switch"), {"to": "off"}).status_code == 404
    classes = words(client.get(here(pad, "launching-classes")))
    assert "Algebra" not in classes
