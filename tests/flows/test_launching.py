"""The launch pad of a district: who comes in by which way and who does not, which apps they find there, and what ends a session."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache

from rollbook.engine.scope import FULL
from rollbook.flows import applications, opt_outs, schedule
from rollbook.flows.launching import apps, badges, coming_in, own_provider, pads, passwords, people
from rollbook.flows.launching.standing import LaunchPerson, person_of, stand
from rollbook.refusal import Refusal
from rollbook.store.models import (
    AppLaunch,
    AuditEntry,
    AuditNote,
    Badge,
    District,
    LaunchPad,
    LaunchSignIn,
    User,
)
from tests import cast
from tests.delivered import a_grant, a_grant_to

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
PASSWORD, PIN = "violet tractor", "4821"
ISSUER = "https://idp.riverbend.example"
DOMAINS = ["riverbend.example", "students.riverbend.example"]


@pytest.fixture
def pad(riverbend: District) -> LaunchPad:
    pads.set_ways(riverbend, ["password", "badge", "provider"])
    return pads.switch(riverbend, True)


def who(district: District, sourced_id: str) -> User:
    return User.objects.get(district=district, sourced_id=sourced_id)


def named(user: User) -> str:
    assert user.username
    return user.username


def come(pad: LaunchPad, user: User) -> LaunchPerson:
    """By a password of their own."""
    sign_in = passwords.give_password(user, PASSWORD, NOW, must_change=False)
    session: dict[str, object] = {}
    stand(session, sign_in, "password", NOW)
    person = person_of(session)
    assert person is not None
    return person


def refused(act, *arguments) -> type[Refusal]:
    with pytest.raises(Refusal) as caught:
        act(*arguments)
    return type(caught.value)


def acts_of(district: District) -> set[str]:
    return set(AuditEntry.objects.filter(district_id=district.pk).values_list("act", flat=True))


# --- By password --------------------------------------------------------------------------------------------------------------------


def test_who_has_a_password_comes_in_by_username_or_address_in_any_case(pad: LaunchPad):
    amara = who(pad.district, cast.AMARA)
    given = passwords.give_password(amara, PASSWORD, NOW)
    assert given.must_change
    assert given.account.email is None
    for typed in (named(amara), f" {named(amara).upper()} ", amara.email or ""):
        came = coming_in.by_password(pad, typed, PASSWORD, NOW)
        assert (came.user_id, came.must_change) == (amara.id, True)
    chosen = coming_in.choose_password(pad, given, "my own violet", NOW)
    assert not chosen.must_change
    assert refused(coming_in.by_password, pad, named(amara), PASSWORD, NOW) is coming_in.NotTogether
    assert "launch_pad.give_password" in acts_of(pad.district)


def test_a_wrong_password_a_name_nobody_has_and_nobodys_password_are_one_answer(pad: LaunchPad):
    amara = who(pad.district, cast.AMARA)
    passwords.give_password(amara, PASSWORD, NOW)
    lucia = named(who(pad.district, cast.LUCIA))
    for name, password in ((named(amara), "another one"), ("nobody", PASSWORD), (lucia, PASSWORD), ("", "")):
        assert refused(coming_in.by_password, pad, name, password, NOW) is coming_in.NotTogether


def test_after_five_wrong_passwords_not_even_the_right_one_opens(pad: LaunchPad):
    amara = who(pad.district, cast.AMARA)
    passwords.give_password(amara, PASSWORD, NOW)
    tried = [refused(coming_in.by_password, pad, named(amara), f"wrong {n}", NOW) for n in range(5)]
    assert tried == [coming_in.NotTogether] * 5
    assert refused(coming_in.by_password, pad, named(amara), PASSWORD, NOW) is coming_in.TooManyTries
    [note] = AuditNote.objects.filter(act="launch_pad.throttle")
    assert (note.chains, note.object) == ([pad.district_id], str(pad.district_id))
    cache.clear()
    assert coming_in.by_password(pad, named(amara), PASSWORD, NOW).user_id == amara.id


def test_passwords_that_are_short_common_or_the_username_are_not_taken(pad: LaunchPad):
    amara = who(pad.district, cast.AMARA)
    User.objects.filter(district=pad.district, id=amara.id).update(username="amara.o.2011")
    amara.refresh_from_db()
    assert refused(passwords.give_password, amara, "short", NOW) is passwords.PasswordTooShort
    assert refused(passwords.give_password, amara, "password1", NOW) is passwords.PasswordTooCommon
    assert refused(passwords.give_password, amara, "AMARA.o.2011", NOW) is passwords.PasswordTooCommon


def test_a_file_gives_first_passwords_and_says_which_lines_it_could_not_take(pad: LaunchPad):
    lucia = named(who(pad.district, cast.LUCIA))
    rows = f"{cast.AMARA},,{PASSWORD}\n,{lucia},{PASSWORD}\nstudent-999,,{PASSWORD}\n{cast.KOFI},,short\n"
    content = f"\ufeffsourcedId,username,password\n{rows}".encode()
    lines = passwords.give_first_passwords(pad.district, content, NOW)
    assert [(one.number, one.who, bool(one.wrong)) for one in lines] == [
        (2, cast.AMARA, False), (3, cast.LUCIA, False), (4, "student-999", True), (5, cast.KOFI, True),
    ]  # fmt: skip
    assert coming_in.by_password(pad, lucia, PASSWORD, NOW).must_change
    for bad in (b"name\nx\n", b"\xff\xfe", b"sourcedId,code\na,b\n"):
        with pytest.raises(passwords.NotACsvOfPasswords):
            passwords.give_first_passwords(pad.district, bad, NOW)
    with pytest.raises(passwords.TooManyLines):
        passwords.give_first_passwords(pad.district, content, NOW, most=3)


def test_a_link_is_good_once_and_for_a_week(pad: LaunchPad):
    amara = who(pad.district, cast.AMARA)
    secret = passwords.make_link(amara, NOW)
    assert secret not in str(LaunchSignIn.objects.values().get(user_id=amara.id))
    late = NOW + timedelta(days=7, seconds=1)
    assert refused(coming_in.by_link, pad, secret, late, "") is coming_in.LinkOver
    sign_in, _ = coming_in.by_link(pad, secret, NOW, "")
    coming_in.choose_password(pad, sign_in, PASSWORD, NOW)
    assert refused(coming_in.by_link, pad, secret, NOW, "") is coming_in.LinkOver


# --- By badge and PIN ---------------------------------------------------------------------------------------------------------------


def test_a_badge_and_its_pin_let_a_child_in_and_a_new_badge_ends_the_old_one(pad: LaunchPad):
    kofi = who(pad.district, cast.KOFI)
    [first] = badges.issue([kofi], NOW)
    shown = coming_in.show_badge(pad, badges.in_fours(first.code).lower(), "")
    assert refused(coming_in.by_pin, pad, shown.pk, PIN, NOW) is badges.NoPin
    badges.set_pin(kofi, PIN)
    assert coming_in.by_pin(pad, shown.pk, f" {PIN} ", NOW).user_id == kofi.id
    assert people.standings(pad.district, [kofi])[0].in_by == "badge"
    [second] = badges.issue([kofi], NOW)
    assert refused(coming_in.show_badge, pad, first.code, "") is coming_in.NoSuchBadge
    assert refused(coming_in.by_pin, pad, shown.pk, PIN, NOW) is coming_in.NoSuchBadge
    assert badges.revoke(kofi, NOW)
    assert refused(coming_in.show_badge, pad, second.code, "") is coming_in.NoSuchBadge
    assert first.code not in str(list(Badge.objects.values()))
    assert {"badge.issue", "badge.revoke", "pin.set"} <= acts_of(pad.district)


def test_five_wrong_pins_lock_the_badge_until_a_person_lets_it_go(pad: LaunchPad):
    kofi = who(pad.district, cast.KOFI)
    badges.set_pin(kofi, PIN)
    shown = coming_in.show_badge(pad, badges.issue([kofi], NOW)[0].code, "")
    tried = [refused(coming_in.by_pin, pad, shown.pk, "1357", NOW) for _ in range(5)]
    assert tried == [*[badges.PinNotRight] * 4, badges.BadgeLocked]
    assert refused(coming_in.by_pin, pad, shown.pk, PIN, NOW) is badges.BadgeLocked
    assert [one.sourced_id for one in people.locked(pad.district)] == [cast.KOFI]
    [note] = AuditNote.objects.filter(act="badge.lock")
    assert note.object == cast.KOFI
    assert badges.unlock(kofi)
    assert not badges.unlock(kofi)
    assert coming_in.by_pin(pad, shown.pk, PIN, NOW).user_id == kofi.id


def test_a_right_pin_forgets_the_wrong_ones_before_it(pad: LaunchPad):
    kofi = who(pad.district, cast.KOFI)
    badges.set_pin(kofi, PIN)
    shown = coming_in.show_badge(pad, badges.issue([kofi], NOW)[0].code, "")
    for _ in range(3):
        assert refused(coming_in.by_pin, pad, shown.pk, "1357", NOW) is badges.PinNotRight
        coming_in.by_pin(pad, shown.pk, PIN, NOW)
        assert refused(coming_in.by_pin, pad, shown.pk, "1357", NOW) is badges.PinNotRight
    assert people.locked(pad.district) == []


@pytest.mark.parametrize("pin", ["123", "1234567", "12a4", "1234", "4321", "0000", "٤٨٢١", ""])
def test_a_pin_is_four_to_six_digits_and_none_that_is_tried_first(pad: LaunchPad, pin: str):
    assert refused(badges.set_pin, who(pad.district, cast.KOFI), pin) is badges.BadPin


def test_who_shows_codes_that_are_none_is_stopped_after_a_while(pad: LaunchPad, monkeypatch):
    monkeypatch.setattr(coming_in, "CODES", 3)
    kofi = who(pad.district, cast.KOFI)
    [badge] = badges.issue([kofi], NOW)
    for _ in range(3):
        assert refused(coming_in.show_badge, pad, "ABCD", "192.0.2.1") is coming_in.NoSuchBadge
    assert refused(coming_in.show_badge, pad, badge.code, "192.0.2.1") is coming_in.TooManyTries
    assert coming_in.show_badge(pad, badge.code, "192.0.2.2").user_id == kofi.id


# --- By the district's own provider --------------------------------------------------------------------------------------------------


@pytest.fixture
def provider(pad: LaunchPad):
    about = {"issuer": ISSUER, "client_id": "rollbook", "names": {"tenant": "district"}, "tenants": ["7"]}
    return own_provider.set_provider(pad.district, "any", is_active=True, domains=DOMAINS, **about)


def said(**claims: object) -> dict[str, object]:
    return {"iss": ISSUER, "sub": "s-1", "role": "student", "district": "7", **claims}


def test_the_districts_provider_brings_in_whom_the_ladder_recognises(pad: LaunchPad, provider):
    amara = who(pad.district, cast.AMARA)
    for claims in (
        said(sourcedId=cast.AMARA),
        said(),  # known by its subject from now on
        said(sourcedId=cast.KOFI),  # and by nothing else
    ):
        assert own_provider.by_provider(pad, provider, claims, NOW).user_id == amara.id
    by_name = said(sub="s-2", preferred_username=named(who(pad.district, cast.LUCIA)))
    assert own_provider.by_provider(pad, provider, by_name, NOW).user_id == who(pad.district, cast.LUCIA).id


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"sourcedId": "student-999"}, "not-synced"),
        ({"district": "8", "sourcedId": cast.AMARA}, "foreign-tenant"),
        ({"sourcedId": cast.TOMAS}, "suspended"),
        ({"email": "akoye@example.com", "email_verified": True}, "unknown"),
        ({"role": "teacher", "preferred_username": "amara"}, "unknown"),
    ],
)
def test_whom_the_ladder_does_not_recognise_stays_outside(pad: LaunchPad, provider, claims, code: str):
    with pytest.raises(own_provider.NotRecognised) as caught:
        own_provider.by_provider(pad, provider, said(**claims), NOW)
    assert caught.value.code == code
    [note] = AuditNote.objects.filter(act="launch_pad.keep_out")
    assert caught.value.number in note.after


def test_a_second_subject_of_the_same_provider_is_refused(pad: LaunchPad, provider):
    own_provider.by_provider(pad, provider, said(sourcedId=cast.AMARA), NOW)
    with pytest.raises(own_provider.NotRecognised) as caught:
        own_provider.by_provider(pad, provider, said(sub="s-9", sourcedId=cast.AMARA), NOW)
    assert caught.value.code == "second-subject"


# --- Who comes in how, and who is out ------------------------------------------------------------------------------------------------


def test_the_first_rule_of_school_and_grade_decides_by_which_way_somebody_comes_in(pad: LaunchPad):
    rules = [
        {"schools": [cast.RIVERBEND_ELEMENTARY], "grades": [], "ways": ["badge"]},
        {"schools": [], "grades": ["10"], "ways": ["provider", "password"]},
    ]
    pads.set_ways(pad.district, ["provider"], rules)
    pad.refresh_from_db()
    assert pads.ways_offered(pad) == ("password", "badge", "provider")
    kofi, amara, lucia = (who(pad.district, one) for one in (cast.KOFI, cast.AMARA, cast.LUCIA))
    for one in (kofi, amara, lucia):
        passwords.give_password(one, PASSWORD, NOW)
    assert coming_in.by_password(pad, named(amara), PASSWORD, NOW).user_id == amara.id
    for one in (kofi, lucia):
        assert refused(coming_in.by_password, pad, named(one), PASSWORD, NOW) is coming_in.NotThisWay
    assert coming_in.show_badge(pad, badges.issue([kofi], NOW)[0].code, "").user_id == kofi.id
    assert refused(coming_in.show_badge, pad, badges.issue([amara], NOW)[0].code, "") is coming_in.NotThisWay
    assert refused(pads.set_ways, pad.district, []) is pads.NoSuchWay
    unknown = [{"schools": ["org-nowhere"], "grades": [], "ways": ["badge"]}]
    assert refused(pads.set_ways, pad.district, ["badge"], unknown) is pads.NoSuchSchool


def test_who_is_disabled_in_the_roster_does_not_come_in(pad: LaunchPad):
    tomas = who(pad.district, cast.TOMAS)
    passwords.give_password(tomas, PASSWORD, NOW)
    assert refused(coming_in.by_password, pad, named(tomas), PASSWORD, NOW) is coming_in.NotInTheRoster
    badge = badges.issue([tomas], NOW)[0]
    assert refused(coming_in.show_badge, pad, badge.code, "") is coming_in.NotInTheRoster


def ends(pad: LaunchPad, amara: User) -> dict[str, object]:
    """What ends a session, by what is said of it."""
    people_of_it = User.objects.filter(district=pad.district, id=amara.id)
    return {
        "gone from the roster": lambda: people_of_it.update(status="tobedeleted"),
        "disabled there": lambda: people_of_it.update(enabled_user=False),
        "the launch pad closed": lambda: pads.switch(pad.district, False),
        "another password": lambda: passwords.give_password(amara, PASSWORD, NOW),
        "everything taken away": lambda: passwords.reset([amara], NOW),
        "their way in ended": lambda: pads.set_ways(pad.district, ["badge"]),
    }


ENDS = (
    "gone from the roster",
    "disabled there",
    "the launch pad closed",
    "another password",
    "everything taken away",
    "their way in ended",
)


@pytest.mark.parametrize("end", ENDS)
def test_a_session_ends_at_the_next_step_with_what_it_rested_on(pad: LaunchPad, end: str):
    amara = who(pad.district, cast.AMARA)
    session: dict[str, object] = {}
    stand(session, passwords.give_password(amara, PASSWORD, NOW, must_change=False), "password", NOW)
    found = person_of(session)
    assert found is not None
    assert (found.sourced_id, found.tenant) == (cast.AMARA, str(pad.district_id))
    assert (found.by, found.at) == ("password", int(NOW.timestamp()))
    ends(pad, amara)[end]()
    assert person_of(session) is None


def test_a_lost_badge_ends_the_session_that_it_opened(pad: LaunchPad):
    kofi = who(pad.district, cast.KOFI)
    badges.set_pin(kofi, PIN)
    shown = coming_in.show_badge(pad, badges.issue([kofi], NOW)[0].code, "")
    session: dict[str, object] = {}
    stand(session, coming_in.by_pin(pad, shown.pk, PIN, NOW), "badge", NOW)
    assert person_of(session) is not None
    badges.revoke(kofi, NOW)
    assert person_of(session) is None


def test_an_address_is_the_tenant_id_or_a_slug_that_is_the_districts_alone(pad: LaunchPad):
    number = str(pad.district_id)
    assert pads.find_pad(number).pk == pads.find_pad(number).pk == pad.pk
    pads.set_slug(pad.district, "Riverbend-USD")
    assert {pads.find_pad(place).pk for place in (number, "riverbend-usd")} == {pad.pk}
    for bad in ("12", "-a", "a--b", "a b", "ä", "a" * 61):
        assert refused(pads.set_slug, pad.district, bad) is pads.BadSlug
    other = District.objects.create(name="Cedar Valley")
    assert refused(pads.set_slug, other, "riverbend-usd") is pads.SlugTaken
    pads.switch(pad.district, False)
    assert refused(pads.find_pad, number) is pads.PadClosed


# --- Apps -----------------------------------------------------------------------------------------------------------------------------


def start(grant, url: str = "https://app.example/start") -> None:
    applications.edit_particulars(grant, {"start_url": url}, by="a test")


def shown(person: LaunchPerson, now: datetime = NOW) -> list[str]:
    return [tile.grant.title for tile in apps.tiles_of(person, now)]


def test_everybody_finds_exactly_the_apps_that_are_shared_with_them(pad: LaunchPad):
    whole = a_grant(pad.district, FULL, "Whole")
    high = a_grant_to(pad.district, cast.RIVERBEND_HIGH, app="High")
    nowhere = a_grant(pad.district, FULL, "Without a start")
    for one in (whole, high):
        start(one)
    kofi, amara = (come(pad, who(pad.district, one)) for one in (cast.KOFI, cast.AMARA))
    assert shown(amara) == ["High", "Whole"]
    assert shown(kofi) == ["Whole"]
    applications.switch(whole, False)
    assert shown(kofi) == []
    applications.switch(whole, True)
    opt_outs.opt_out(pad.district, cast.KOFI, whole, "Asked by the family.", by="a test")
    assert shown(kofi) == []
    assert shown(amara) == ["High", "Whole"]
    applications.remove_application(high, by="a test")
    assert shown(amara) == ["Whole"]
    assert refused(apps.launch, kofi, whole.pk, NOW) is apps.NotOnYourPad
    assert refused(apps.launch, amara, nowhere.pk, NOW) is apps.NotOnYourPad


def test_an_app_is_found_from_its_launch_date_on(pad: LaunchPad):
    grant = a_grant(pad.district)
    start(grant)
    amara = come(pad, who(pad.district, cast.AMARA))
    assert shown(amara) == ["An app"]
    apps.set_launch_date(grant, "2026-11-21", by="a test")
    assert shown(amara) == []
    assert shown(amara, datetime(2026, 11, 21, 5, 59, tzinfo=UTC)) == []
    assert shown(amara, datetime(2026, 11, 21, 6, tzinfo=UTC)) == ["An app"]  # midnight in Chicago
    apps.launch_now(grant, by="a test", now=NOW)
    assert (grant.launches_on, shown(amara)) == ("2026-11-20", ["An app"])
    assert refused(lambda: apps.set_launch_date(grant, "tomorrow", by="a test")) is apps.NotADate
    apps.set_launch_date(grant, "", by="a test")
    assert grant.launches_on is None
    assert "grant.launch_date" in acts_of(pad.district)


def test_a_launch_leads_to_exactly_the_start_address_and_is_counted_without_a_name(pad: LaunchPad):
    grant = a_grant(pad.district)
    url = "https://app.example/start?from=school%20pad&empty="
    start(grant, url)
    amara = come(pad, who(pad.district, cast.AMARA))
    assert [apps.launch(amara, grant.pk, NOW) for _ in range(2)] == [url, url]
    assert apps.launches(pad.district, "2026-11-20") == {grant.pk: 2}
    assert apps.launches(pad.district, "2026-11-21") == {}


def test_counts_of_launches_are_forgotten_after_four_hundred_days_and_those_of_another_district_are_its_own(
    pad: LaunchPad,
):
    AppLaunch.objects.create(district_id=pad.district_id, grant_id=1, day="2026-11-20", launches=2)
    assert apps.forget_launches(pad.district_id, NOW + timedelta(days=400)) == 0
    assert apps.forget_launches(pad.district_id + 1, NOW + timedelta(days=402)) == 0
    assert apps.forget_launches(pad.district_id, NOW + timedelta(days=402)) == 1
    AppLaunch.objects.create(district_id=pad.district_id, grant_id=1, day="2020-01-01", launches=2)
    schedule.look_after(pad.district_id)
    assert not AppLaunch.objects.filter(day="2020-01-01").exists()


def test_sign_in_that_the_pad_begins_is_added_to_the_address_behind_its_own_query():
    more = {"iss": "https://roster.example/openid", "login_hint": "launch-pad:7"}
    told = apps.with_query("https://app.example/start?a=%20b#top", more)
    query = "a=%20b&iss=https%3A%2F%2Froster.example%2Fopenid&login_hint=launch-pad%3A7"
    assert told == f"https://app.example/start?{query}#top"


def test_whoever_is_bound_to_schools_finds_their_people_and_classes_alone(pad: LaunchPad):
    schools = frozenset(pad_schools(pad, cast.RIVERBEND_ELEMENTARY))
    assert people.find_person(pad.district, cast.KOFI, schools).sourced_id == cast.KOFI
    assert refused(people.find_person, pad.district, cast.AMARA, schools) is people.NobodyOfThisId
    assert people.find_class(pad.district, cast.READING_3, schools).sourced_id == cast.READING_3
    assert refused(people.find_class, pad.district, cast.ALGEBRA, schools) is people.NoSuchClass
    assert cast.KOFI in {one.sourced_id for one in people.search(pad.district, "kofi", schools)}
    assert people.search(pad.district, "amara", schools) == []


def pad_schools(pad: LaunchPad, *sourced_ids: str) -> list[int]:
    rules = [{"schools": sourced_ids, "grades": [], "ways": ["badge"]}]
    kept = pads.set_ways(pad.district, ["password"], rules)
    return list(kept.rules[0]["schools"])
