"""Find sees with the app's eyes; Explain comes to what the app is served, and says what would change it."""

from pathlib import Path
from random import Random

import pytest

from rollbook.engine.explaining import Setting
from rollbook.engine.scope import ALL, FULL, NONE, Choice, Rule, Scope, Treatment, basic, full
from rollbook.flows import explain, find, opt_outs
from rollbook.flows.districts import add_district
from rollbook.flows.publish import publish, set_rule
from rollbook.refusal import Refusal
from rollbook.store.models import Class, District, Grant, Org, User
from rollbook.store.visibility import NotVisible, record_ids
from tests import cast, scoping
from tests.delivered import a_district, a_grant, a_grant_to, deliver, everything, ids, reader_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


def found(grant: Grant, text: str, collection: str = "users") -> set[str]:
    return {record["sourcedId"] for record in find.find(grant, collection, text).records}


def explained(grant: Grant, text: str) -> explain.Explanation:
    [subject] = explain.subjects(grant.district, text)
    grant.refresh_from_db()
    return explain.explain(grant, subject)


# --- Find -----------------------------------------------------------------------------------------------------------------------------------


def test_one_box_finds_people_by_whatever_is_known_of_them(district: District) -> None:
    grant = a_grant(district)
    amara = User.objects.get(district=district, sourced_id=cast.AMARA)
    for text in (cast.AMARA, amara.username, amara.email, "Okonkwo amara", "AMARA"):
        assert cast.AMARA in found(grant, str(text)), text
    assert found(grant, "okonkwo") == {cast.AMARA, cast.KOFI}
    assert found(grant, "amara smith") == set()


def test_classes_are_found_by_title_code_and_id(district: District) -> None:
    grant = a_grant(district)
    code = Class.objects.get(district=district, sourced_id=cast.ALGEBRA).class_code
    for text in (cast.ALGEBRA, "algebra", str(code)):
        assert cast.ALGEBRA in found(grant, text, "classes"), text


def test_only_what_the_app_sees_is_found(district: District) -> None:
    high = a_grant_to(district, cast.RIVERBEND_HIGH)
    assert found(high, cast.AMARA) == {cast.AMARA}
    assert found(high, cast.KOFI) == set()
    assert found(high, cast.NOAH) == set()
    with pytest.raises(NotVisible):
        find.one(high, "users", cast.KOFI)


def test_what_is_gone_is_not_found(district: District) -> None:
    grant = a_grant(district)
    User.objects.filter(district=district, sourced_id=cast.LI_WU).update(status="tobedeleted")
    publish(district.pk, None, "a test")
    gone = everything(reader_of(grant), "/users", filter="status='tobedeleted'")
    assert ids(gone) == {cast.LI_WU}
    assert found(grant, cast.LI_WU) == set()


def test_pages_are_dense_and_their_total_is_all(district: District) -> None:
    grant = a_grant(district)
    whole = find.find(grant, "users", "a", limit=100)
    pages = [find.find(grant, "users", "a", start, limit=7) for start in range(0, whole.total, 7)]
    assert [page.total for page in pages] == [whole.total] * len(pages)
    assert [one["sourcedId"] for page in pages for one in page.records] == [
        one["sourcedId"] for one in whole.records
    ]


def test_nothing_typed_is_refused(district: District) -> None:
    grant = a_grant(district)
    for text in ("", "   ", "x\0", "x" * 300):
        with pytest.raises(find.NothingAsked):
            find.find(grant, "users", text)


def test_quotes_and_signs_are_only_text(district: District) -> None:
    grant = a_grant(district)
    for text in ("' OR '1'='1", "%", "_", "O'Riordan", "\\"):
        assert find.find(grant, "users", text).total <= 1, text


def test_what_is_masked_is_not_searched(district: District) -> None:
    grant = a_grant(district)
    set_rule(grant, Rule(FULL.level, FULL.scopes, True, _fields(("users", "email", "mask"))), "a test")
    amara = User.objects.get(district=district, sourced_id=cast.AMARA)
    assert found(grant, str(amara.email)) == set()
    assert found(grant, cast.AMARA) == {cast.AMARA}
    assert find.one(grant, "users", cast.AMARA)["email"] != amara.email


def test_a_person_known_by_another_id_is_found_by_both(district: District) -> None:
    grant = a_grant(district)
    rule = full(fields=(("users", "sourcedId", Treatment.PSEUDONYMISE),))
    set_rule(grant, rule, "a test")
    [record] = find.find(grant, "users", cast.AMARA).records
    alias = record["sourcedId"]
    assert alias != cast.AMARA
    assert found(grant, alias) == {alias}
    assert find.real_id(grant, "users", alias) == cast.AMARA
    told = {part.relation: part.seen for part in find.parts(grant, "users", find.one(grant, "users", alias))}
    assert all(one["user"]["sourcedId"] == alias for one in told["enrollments"].records)
    assert told["classes"].total


def _fields(*treated: tuple[str, str, str]) -> object:
    return full(fields=tuple(treated)).fields  # type: ignore[arg-type]  # treatments are texts


def test_every_record_the_app_sees_of_a_person_stands_below(district: District) -> None:
    grant = a_grant(district, full(guardians=True))
    record = find.one(grant, "users", cast.AMARA)
    told = {part.relation: part.seen for part in find.parts(grant, "users", record)}
    assert {one["sourcedId"] for one in told["agents"].records} == {cast.ADAEZE, cast.CHUKWUEMEKA}
    assert all(one["user"]["sourcedId"] == cast.AMARA for one in told["enrollments"].records)
    assert {one["sourcedId"] for one in told["classes"].records} == {
        one["class"]["sourcedId"] for one in told["enrollments"].records
    }
    assert {"courses", "terms", "orgs", "demographics"} <= set(told)


def test_what_stands_above_the_chosen_is_there_for_reference_only(district: District) -> None:
    high = Scope(Choice(ids=record_ids(district.pk, "orgs", [cast.RIVERBEND_HIGH])), ALL)
    by_class = Scope(classes=record_ids(district.pk, "classes", [cast.ALGEBRA]))
    for number, rule in enumerate((basic(high), basic(by_class))):
        grant = a_grant(district, rule, f"App {number}")
        record = find.one(grant, "users", cast.LUCIA)
        told = {part.relation: find.told(part) for part in find.parts(grant, "users", record)}
        assert told["orgs"]["forReference"] == []
        assert (
            [one["sourcedId"] for one in told["above"]["records"]]
            == told["above"]["forReference"]
            == [cast.DISTRICT]
        )
        assert set(told["above"]["records"][0]) >= {"name", "type"}
        assert "metadata" not in told["above"]["records"][0]
    grant = a_grant(district)
    told = {
        part.relation: find.told(part)
        for part in find.parts(grant, "users", find.one(grant, "users", cast.LUCIA))
    }
    assert told["above"]["forReference"] == []


def test_a_part_that_is_not_shared_is_not_there(district: District) -> None:
    rule = basic(Scope(ALL, ALL, demographics=False))
    grant = a_grant(district, rule)
    record = find.one(grant, "users", cast.AMARA)
    told = {part.relation for part in find.parts(grant, "users", record)}
    assert "demographics" not in told
    assert "agents" not in told


def test_a_class_stands_with_its_people(district: District) -> None:
    grant = a_grant(district)
    record = find.one(grant, "classes", cast.ALGEBRA)
    told = {part.relation: part.seen for part in find.parts(grant, "classes", record)}
    assert cast.LUCIA in {one["sourcedId"] for one in told["students"].records}
    assert told["teachers"].total
    assert told["orgs"].records[0]["sourcedId"] == cast.RIVERBEND_HIGH


def test_who_is_bound_to_schools_finds_people_of_those(district: District) -> None:
    grant = a_grant(district)
    [high] = Org.objects.filter(district=district, sourced_id=cast.RIVERBEND_HIGH).values_list(
        "id", flat=True
    )
    kept = find.find(grant, "users", "a", schools={high}, limit=100)
    assert cast.KOFI not in {one["sourcedId"] for one in kept.records}
    assert {one["sourcedId"] for one in find.find(grant, "users", cast.LUCIA, schools={high}).records} == {
        cast.LUCIA
    }
    assert find.find(grant, "classes", cast.READING_3, schools={high}).total == 0
    with pytest.raises(NotVisible):
        find.one(grant, "users", cast.KOFI, {high})


def test_nothing_is_counted_as_read_by_the_app(district: District) -> None:
    grant = a_grant(district)
    assert find.looking_at(grant).credential_id < 0


# --- Explain --------------------------------------------------------------------------------------------------------------------------------


def test_each_pupil_of_riverbend_has_their_reason(district: District) -> None:
    high = a_grant_to(district, cast.RIVERBEND_HIGH)
    assert explained(high, cast.AMARA).sees
    assert [fact.setting for fact in explained(high, cast.KOFI).missing] == [Setting.ORGS]
    noah = a_grant_to(district, cast.RIVERBEND_ELEMENTARY, app="Reading Garden")
    assert [fact.setting for fact in explained(noah, cast.NOAH).missing] == [Setting.UNENROLLED]
    assert [fact.setting for fact in explained(noah, cast.ADAEZE).missing][-1] is Setting.GUARDIANS
    assert [fact.setting for fact in explained(high, cast.READING_3).missing] == [Setting.ORGS]


def test_who_opted_out_is_told_so_without_the_reason(district: District) -> None:
    grant = a_grant(district)
    opt_outs.opt_out(district, cast.AMARA, grant, "a court order", by="a test")
    why = explained(grant, cast.AMARA)
    assert [fact.setting for fact in why.missing] == [Setting.OPT_OUT]
    assert "court" not in " ".join(fact.words for fact in why.facts)
    assert found(grant, cast.AMARA) == set()


def test_all_apps_are_told_of_at_once(district: District) -> None:
    a_grant(district, app="Zebra")
    a_grant_to(district, cast.RIVERBEND_HIGH, app="Ant")
    a_grant(district, NONE, app="Mole")
    [subject] = explain.subjects(district, cast.KOFI)
    told = [(grant.title, why.sees) for grant, why in explain.explain_all(district, subject)]
    assert told == [("Ant", False), ("Mole", False), ("Zebra", True)]


def test_a_record_that_an_import_held_back_says_so(tmp_path: Path) -> None:
    grant = a_grant(district := a_district())
    edits = {
        "users": {
            "student-999": {**cast.record("users", cast.AMARA), "sourcedId": "student-999", "familyName": ""}
        }
    }
    deliver(district, cast.riverbend(tmp_path / "held", edits))
    why = explain.explain(grant, explain.nobody("student-999"))
    assert [fact.code for fact in why.missing] == ["exists", "withheld"]
    assert "users.csv" in why.missing[1].words


def test_only_people_and_classes_are_explained(district: District) -> None:
    with pytest.raises(Refusal):
        explain.explain(a_grant(district), explain.Subject("orgs", 1, "x", "x"))


@pytest.mark.parametrize("seed", range(6))
def test_explain_and_find_agree_with_what_is_served(seed: int) -> None:
    random = Random(1_000 + seed)
    district = add_district(f"Small {seed}")
    scoping.store(district, scoping.random_roster(random))
    publish(district.pk, None, "a test")
    district.refresh_from_db()
    for number in range(3):
        grant = a_grant(district, scoping.random_rule(random), app=f"App {seed}-{number}")
        reader = reader_of(grant)
        for collection, model in (("users", User), ("classes", Class)):
            served = {
                one["sourcedId"] for one in everything(reader, f"/{collection}") if one["status"] == "active"
            }
            every = model._default_manager.filter(district=district).values_list("id", "sourced_id")
            told = {
                sourced_id
                for record_id, sourced_id in every
                if explain.explain(grant, explain.Subject(collection, record_id, sourced_id, "")).sees
            }
            assert told == served, collection
            wanted = "a" if collection == "users" else "k"
            assert {
                one["sourcedId"] for one in find.find(grant, collection, wanted, limit=100).records
            } == served


def test_a_choice_of_some_is_what_the_test_above_meets() -> None:
    """The random rules do choose: one that let everything through each time would show nothing."""
    rules = [scoping.random_rule(Random(seed)) for seed in range(40)]
    assert any(scope.orgs != ALL and scope.orgs != Choice() for rule in rules for scope in rule.scopes)
