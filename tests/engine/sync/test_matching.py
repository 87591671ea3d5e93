"""The ladder: link, earlier ids, identifier, e-mail; and where a person has to say."""

from dataclasses import replace

from rollbook.engine.sync.links import Decision, Override
from rollbook.engine.sync.operations import ARCHIVED, MEMBERS, SITES
from rollbook.engine.sync.policy import read_policy
from rollbook.engine.sync.roster import MemoryRoster
from tests.engine.sync.desk import Desk, but, person, renamed, riverbend, school, teacher, without


def there(desk: Desk, name: str, role: str = "teacher", **fields: object) -> str:
    """A member who was there before the first sync, at the site `North`, made by hand."""
    given: dict[str, object] = {"given_name": name.title(), "family_name": "Of" + name.title()}
    given |= {"email": f"{name}@riverbend.example", "roles": (role,), "sites": (north(desk),)}
    return desk.target.put(MEMBERS, given | fields)  # type: ignore[arg-type]  # fields by name


def north(desk: Desk) -> str:
    for site in desk.target.scan(SITES):
        return site.id
    return desk.target.put(SITES, {"name": " NORTH  "})


def cases(desk: Desk, roster: MemoryRoster) -> dict[str, str]:
    return {one.source_id: one.code for one in desk.plan(roster).cases}


def test_a_site_of_the_same_name_and_a_teacher_of_the_same_address_are_taken_over() -> None:
    desk = Desk()
    ada = there(desk, "ada", email="ADA@Riverbend.example", identifier="")
    desk.sync(riverbend())
    assert desk.links.of(MEMBERS)["ada"].target == ada
    assert desk.links.of(SITES)["north"].target == north(desk)
    assert desk.site("north").fields["name"] == " NORTH  "
    assert desk.member("ada").fields["username"] == "ada"
    assert desk.plan(riverbend()).counts == {}


def test_an_address_is_no_proof_in_another_role_at_another_site_or_in_a_strange_domain() -> None:
    for member in ({"roles": ("student",)}, {"sites": ()}):
        desk = Desk()
        there(desk, "ada", **member)
        assert cases(desk, riverbend()) == {"ada": "match-thin"}
        assert "create members ada" not in desk.did()
    desk = Desk(domains=frozenset())
    there(desk, "ada")
    assert cases(desk, riverbend()) == {"ada": "match-thin"}


def test_among_staff_alone_the_site_and_the_domain_do_not_matter_and_a_pupil_is_a_case() -> None:
    match = {"email_domains": "any", "email_among": "staff", "email_sites": "any"}
    desk = Desk(policy=read_policy({"match": match}), domains=frozenset())
    ada = there(desk, "ada", sites=())
    there(desk, "dot", "student")
    assert cases(desk, riverbend()) == {"dot": "match-thin"}
    assert next(one.target for one in desk.operations if one.source_id == "ada") == ada


def test_an_identifier_goes_before_an_address_and_blanks_never_match() -> None:
    desk = Desk()
    ada = there(desk, "ada", identifier="no-ada", email="other@riverbend.example", sites=())
    there(desk, "nobody", identifier="", email="")
    roster = but(riverbend(), teacher("new", identifier=" ", email="", username=""))
    desk.sync(roster)
    assert desk.links.of(MEMBERS)["ada"].target == ada
    assert [one.reason for one in desk.operations if one.source_id == "ada"] == ["identifier"]
    assert "create members new" in desk.did()


def test_numbers_of_pupils_and_of_staff_are_two_things() -> None:
    desk = Desk()
    there(desk, "pupil", "student", identifier="no-ada")
    assert cases(desk, riverbend()) == {}
    assert "create members ada" in desk.did()


def test_two_that_answer_or_two_that_ask_are_a_case() -> None:
    desk = Desk()
    there(desk, "one", identifier="no-ada")
    there(desk, "two", identifier="no-ada")
    there(desk, "three", identifier="no-ben")
    roster = renamed(riverbend(), "cid", identifier="no-ben")
    assert cases(desk, roster) == {"ada": "match-disputed", "ben": "match-disputed", "cid": "match-disputed"}


def test_a_name_alone_is_nobody() -> None:
    desk = Desk()
    there(desk, "ada", email="", identifier="")
    assert cases(desk, riverbend()) == {}
    assert "create members ada" in desk.did()


def test_a_decision_links_creates_ignores_and_holds() -> None:
    desk = Desk()
    other = there(desk, "other")
    there(desk, "ben", identifier="no-ben")
    desk.decisions = {
        (MEMBERS, "ada"): Decision("link", other),
        (MEMBERS, "ben"): Decision("create", roles=("aide",)),
        (MEMBERS, "cid"): Decision("ignore"),
        (MEMBERS, "dot"): Decision("hold"),
    }
    roster = renamed(riverbend(), "ben", email="ben2@riverbend.example")
    planned = desk.sync(roster)
    assert desk.links.of(MEMBERS)["ada"].target == other
    assert desk.member("ben").fields["roles"] == ("aide",)
    assert {one.source_id: one.code for one in planned.remarks if one.kind == MEMBERS} == {
        "cid": "decided-ignore",
        "dot": "decided-hold",
    }
    desk.decisions = {}


def test_a_whole_roster_under_other_ids_is_relinked_and_nobody_is_made_or_archived() -> None:
    desk = Desk()
    desk.sync(riverbend())
    before = {link.target for link in desk.links.of(MEMBERS).values()}
    again = rekeyed(riverbend())
    planned = desk.sync(again)
    assert planned.counts == {
        "sites": {"relink": 2},
        "members": {"relink": 7},
        "groups": {"relink": 3},
    }
    assert planned.cases == []
    assert {link.target for link in desk.links.of(MEMBERS).values()} == before
    assert desk.in_class("new-maths") == {
        "new-ada": "teacher",
        "new-dot": "student",
        "new-eli": "student",
    }
    assert desk.plan(again).counts == {}


def test_who_comes_back_under_another_id_with_only_a_username_is_the_same() -> None:
    desk = Desk()
    plain = but(riverbend(), person("hal", email="", identifier=""))
    desk.sync(plain)
    hal = desk.member("hal").id
    again = but(without(plain, "hal"), replace(plain.people["hal"], source_id="hal2"))
    desk.sync(again)
    assert desk.links.of(MEMBERS)["hal2"].target == hal


def test_who_has_only_the_name_of_somebody_just_gone_is_a_case() -> None:
    desk = Desk()
    plain = but(riverbend(), person("hal", email="", identifier="", username=""))
    desk.sync(plain)
    again = but(without(plain, "hal"), replace(plain.people["hal"], source_id="hal2"))
    assert cases(desk, again) == {"hal2": "match-thin"}


def test_who_is_archived_and_comes_back_under_an_id_they_had_before_is_restored() -> None:
    desk = Desk(policy=read_policy({"grace": {"reads": 1, "students": 0}}))
    desk.sync(riverbend())
    dot, eli = desk.member("dot").id, desk.member("eli").id
    anew = but(without(riverbend(), "dot"), replace(riverbend().people["dot"], source_id="dot2"))
    desk.sync(anew)
    desk.sync(without(anew, "dot2"))
    assert desk.record(MEMBERS, dot).state == ARCHIVED
    changed = replace(riverbend().people["dot"], identifier="x", email="", username="")
    desk.sync(but(without(anew, "dot2"), changed))
    assert (desk.member("dot").id, desk.member("dot").state) == (dot, "inactive")
    assert desk.member("eli").id == eli


def test_another_person_under_the_same_id_is_a_case_and_nothing_is_changed() -> None:
    desk = Desk()
    desk.sync(riverbend())
    other = person("dot", given_name="Zoe", family_name="Quirk", email="zoe@x.example", identifier="77")
    assert cases(desk, but(riverbend(), other)) == {"dot": "another-person"}
    assert desk.operations == []
    old = desk.member("dot").id
    desk.decisions = {(MEMBERS, "dot"): Decision("create")}
    taken = replace(other, username="zoe")
    desk.sync(but(riverbend(), taken))
    assert desk.member("dot").id != old
    assert desk.did()[:2] == ["unlink members dot", "create members dot"]
    assert desk.plan(but(riverbend(), taken)).counts == {}


def test_a_person_rostered_twice_is_one_member_by_decision_and_has_the_sites_of_both() -> None:
    desk = Desk()
    desk.sync(riverbend())
    twice = but(riverbend(), teacher("ada2", "south", email="", identifier="", username=""))
    desk.decisions = {(MEMBERS, "ada2"): Decision("link", desk.member("ada").id)}
    desk.sync(twice)
    assert len(desk.member("ada").fields["sites"]) == 2  # type: ignore[arg-type]  # a tuple
    assert desk.plan(twice).counts == {}
    desk.policy = read_policy({"grace": {"reads": 1, "staff": 0}})
    desk.sync(without(twice, "ada2"))
    assert desk.member("ada").fields["sites"] == (desk.site("north").id,)
    assert "ada2" not in desk.links.of(MEMBERS)


def test_of_two_records_of_one_member_one_may_stop_counting() -> None:
    desk = Desk(policy=read_policy({"roles": {"map": {"teacher": "teacher", "student": "student"}}}))
    desk.sync(riverbend())
    twice = but(riverbend(), teacher("ada2", "south", email="", identifier="", username=""))
    desk.decisions = {(MEMBERS, "ada2"): Decision("link", desk.member("ada").id)}
    desk.sync(twice)
    parent = but(twice, person("ada2", "guardian", "south", email="", identifier="", username=""))
    desk.sync(parent)
    assert desk.did() == ["update members ada"]
    assert desk.member("ada").fields["sites"] == (desk.site("north").id,)
    assert desk.in_class("maths")["ada2"] == "teacher"
    assert desk.plan(parent).counts == {}


def test_whom_a_person_archived_is_not_taken_over_either() -> None:
    desk = Desk()
    ada = there(desk, "ada")
    desk.target.shelves.held[MEMBERS][ada].state = ARCHIVED
    desk.overrides[MEMBERS, ada] = {"state": Override("state", "archived")}
    planned = desk.sync(riverbend())
    assert ("ada", "archived-by-hand") in {(one.source_id, one.code) for one in planned.remarks}
    assert "ada" not in desk.links.of(MEMBERS)
    desk.overrides.clear()
    desk.sync(riverbend())
    assert desk.did()[:2] == ["link members ada", "restore members ada"]


def test_two_schools_of_one_name_wait_for_a_person_and_so_does_whoever_is_there() -> None:
    desk = Desk()
    desk.target.put(SITES, {"name": "North"})
    roster = but(riverbend(), school("north2", "north"))
    found = desk.plan(roster)
    assert {one.source_id: one.code for one in found.cases} == {
        "north": "school-disputed",
        "north2": "school-disputed",
    }
    assert "create members dot" not in desk.did()
    assert "create members gus" in desk.did()


def test_two_who_exchange_their_ids_are_cases_and_nothing_is_mixed_up() -> None:
    desk = Desk()
    desk.sync(riverbend())
    dot, eli = riverbend().people["dot"], riverbend().people["eli"]
    swapped = but(riverbend(), replace(dot, source_id="eli"), replace(eli, source_id="dot"))
    assert cases(desk, swapped) == {"dot": "another-person", "eli": "another-person"}
    assert desk.operations == []


def test_a_few_who_come_under_other_ids_are_relinked_among_leavers_and_joiners() -> None:
    desk = Desk()
    desk.sync(riverbend())
    people = riverbend().people
    roster = but(
        without(riverbend(), "dot", "ben", "fay"),
        replace(people["dot"], source_id="d2", email="new@riverbend.example"),
        replace(people["ben"], source_id="b2", identifier="", posts=people["ada"].posts),
        person("kim"),
    )
    assert cases(desk, roster) == {"b2": "match-thin"}
    assert sorted(one for one in desk.did() if "memberships" not in one) == [
        "create members kim",
        "miss members ben",
        "miss members fay",
        "relink members d2",
    ]


def test_a_site_that_was_deleted_is_made_again_only_where_a_person_says_so() -> None:
    desk = Desk()
    desk.sync(riverbend())
    desk.target.shelves.held[SITES].pop(desk.site("south").id)
    desk.sync(riverbend())
    assert desk.operations == []
    desk.decisions[SITES, "south"] = Decision("create")
    desk.sync(riverbend())
    assert "create sites south" in desk.did()
    assert desk.plan(riverbend()).counts == {}


def test_a_school_under_another_id_keeps_the_site_that_somebody_gave_it() -> None:
    desk = Desk()
    campus = desk.target.put(SITES, {"name": "Campus"})
    desk.decisions[SITES, "south"] = Decision("link", campus)
    desk.sync(riverbend())
    planned = desk.sync(rekeyed(riverbend()))
    assert planned.counts["sites"] == {"relink": 2}
    assert desk.site("new-south").id == campus
    assert desk.member("new-ben").fields["sites"] == (campus,)
    assert desk.plan(rekeyed(riverbend())).counts == {}


def test_a_school_that_was_two_sites_waits_under_another_id_and_so_does_whoever_is_there() -> None:
    desk = Desk()
    lower, upper = (desk.target.put(SITES, {"name": name}) for name in ("Lower", "Upper"))
    desk.decisions[SITES, "south"] = Decision("link", lower, {"08": upper})
    desk.sync(riverbend())
    planned = desk.plan(rekeyed(riverbend()))
    assert {(one.source_id, one.code, one.candidates) for one in planned.cases if one.kind == SITES} == {
        ("new-south", "school-disputed", (lower,))
    }
    assert not any(one.at for one in desk.operations)
    desk.decisions[SITES, "new-south"] = Decision("link", lower, {"08": upper})
    desk.sync(rekeyed(riverbend()))
    assert desk.member("new-fay").fields["sites"] == (upper,)


def test_of_two_schools_of_one_name_none_takes_the_site_of_one_that_is_gone() -> None:
    desk = Desk()
    campus = desk.target.put(SITES, {"name": "Campus"})
    desk.decisions[SITES, "south"] = Decision("link", campus)
    desk.sync(riverbend())
    desk.plan(but(without(riverbend(), "south"), school("one", "South"), school("two", "South")))
    assert {"create sites one", "create sites two"} <= set(desk.did())


def rekeyed(roster: MemoryRoster) -> MemoryRoster:
    """The same roster under other ids, the old ones gone."""

    def new(source_id: str) -> str:
        return f"new-{source_id}"

    people = [
        replace(
            one,
            source_id=new(one.source_id),
            posts=tuple(replace(post, org=new(post.org)) for post in one.posts),
        )
        for one in roster.people.values()
    ]
    found = MemoryRoster.of(
        [replace(one, source_id=new(one.source_id)) for one in roster.orgs.values()],
        people,
        [
            replace(one, source_id=new(one.source_id), school=new(one.school), terms=("new-year",))
            for one in roster.classes.values()
        ],
        [
            replace(
                one,
                source_id=new(one.source_id),
                person=new(one.person),
                taught_class=new(one.taught_class),
            )
            for one in roster.enrollments
        ],
        [replace(one, source_id=new(one.source_id)) for one in roster.terms.values()],
    )
    found.gone = without(
        roster,
        *roster.orgs,
        *roster.people,
        *roster.classes,
        *(one.source_id for one in roster.enrollments),
    ).gone
    return found
