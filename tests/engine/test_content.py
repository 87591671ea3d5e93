"""What single values say: where the line is between what is pointed out and what is let pass."""

from pathlib import Path

import pytest

from tests.engine.suspects import codes, district, person, told, whose, with_people


def test_addresses(tmp_path: Path):
    good = [
        "ana@riverbend.example",
        "o'neil+x@a-b.riverbend.example",
        "zoë@schule.exämple",
        "A.B_c@x1.example",
        "",
    ]
    bad = [
        "ana", "ana@", "@x.example", "ana@riverbend", "ana@x..example", "a b@x.example", "<a@x.example>",
        "a@x.example;b@x.example", "a@b@x.example", "a@-x.example", "a@x.1",
    ]  # fmt: skip
    people = [person(f"p-{n}", family=f"Brandt{n}", email=email) for n, email in enumerate([*good, *bad])]
    found = told(tmp_path, with_people(*people))
    assert whose(found, "email-form") == {f"p-{n}" for n in range(len(good), len(good) + len(bad))}
    assert codes(found) == {"email-form", "email-domain"}


def test_addresses_below_a_domain_are_in_it_and_those_that_end_alike_are_not(tmp_path: Path):
    people = [
        person("p-1", email="a@riverbend.example"),
        person("p-2", email="b@staff.Riverbend.example"),
        person("p-3", email="c@notriverbend.example"),
        person("p-4", email="d@mail.example"),
        person("p-5", email="e@Mail.example"),
        person("p-6", email="f@mail.example"),
    ]
    tables = with_people(*people)
    tables["roles"][-1]["role"] = "guardian"
    found = told(tmp_path, tables)
    assert {(one.value, one.count) for one in found} == {("notriverbend.example", 1), ("mail.example", 2)}


def test_grades(tmp_path: Path):
    good = ["", "KG", "09", "09,10", "Other", "PS", "13", "TK,KG"]
    bad = ["9", "00", "14", "K", "other", "Grade 9", "09,9"]
    people = [person(f"p-{n}", family=f"B{n}x", grades=grades) for n, grades in enumerate([*good, *bad])]
    found = told(tmp_path, with_people(*people))
    assert {(one.value, one.count) for one in found} == {
        ("9", 2), ("00", 1), ("14", 1), ("K", 1), ("other", 1), ("Grade 9", 1),
    }  # fmt: skip
    messages = {one.value: one.message for one in found}
    assert messages["9"].startswith("Write 09. 2 records have it (lines ")
    assert messages["K"].startswith("Write KG. ")


def test_ids_that_say_who_it_is(tmp_path: Path):
    personal = ["jane.doe", "Doe_Jane", "jdoe", "doej2", "jane@riverbend.example"]
    plain = ["doe-4711", "jane-1", "4711", "d", "jd"]
    people = [person(one, "Jane", "Doe", identifier=str(n)) for n, one in enumerate([*personal, *plain])]
    assert whose(told(tmp_path, with_people(*people)), "id-personal") == set(personal)


def test_values_that_only_fill_a_field(tmp_path: Path):
    people = [
        person("p-1", "N/A", "Reyes"),
        person("p-2", "Ana", "TBD"),
        person("p-3", "Test", "Student"),
        person("p-4", "Test", "Reyes"),
        person("p-5", "Ana", "Null"),
        person("p-6", "A****", "R****"),
        person("p-7", "Na", "O"),
        person("p-8", email="noreply@riverbend.example"),
        person("p-9", email="nora@riverbend.example"),
    ]
    births = [
        {"sourcedId": f"p-{n}", "birthDate": date}
        for n, date in ((1, "1900-01-01"), (2, "1900-01-01"), (3, "1970-01-01"))
    ]
    found = told(tmp_path, {**with_people(*people), "demographics": births})
    assert whose(found, "placeholder") == {"p-1", "p-2", "p-3", "p-6", "p-8"}
    assert {one.count for one in found if one.field == "birthDate"} == {2}
    assert codes(found) == {"placeholder"}


def test_letters_read_in_a_wrong_encoding(tmp_path: Path):
    garbled = [
        "JosÃ©",
        "Ren\N{REPLACEMENT CHARACTER}",
        "Oâ€™Brien",
        "MuÃ±oz",
        "ZoÃ\N{LEFT DOUBLE QUOTATION MARK}",
    ]
    sound = ["JOÃO", "Ângela", "São", "Zoë", "Łukasz", "Ã", "李"]
    people = [person(f"p-{n}", given, f"B{n}x") for n, given in enumerate([*garbled, *sound])]
    found = told(tmp_path, with_people(*people))
    assert whose(found, "garbled") == {f"p-{n}" for n in range(len(garbled))}


def test_nobody_is_their_own_agent(tmp_path: Path):
    people = [
        person("p-1", agentSourcedIds="p-2,p-1"),
        person("p-2", agentSourcedIds="p-1,p-11"),
        person("p-11"),
    ]
    found = told(tmp_path, with_people(*people))
    assert whose(found, "agent-self") == {"p-1"}
    assert codes(found) == {"agent-self"}


WORDS = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("cut", "below", "longer", "told_of"),
    [(10, 5, 0, True), (9, 0, 0, False), (12, 7, 0, False), (30, 3, 1, False), (10, 0, 0, True)],
    ids=["steep", "too few", "not steep", "one is longer", "a cliff"],
)
def test_a_column_is_cut_where_many_end_alike_and_none_is_longer(
    cut: int, below: int, longer: int, told_of: bool, tmp_path: Path
):
    titles = [f"{WORDS[n % 26]}{n // 26}{WORDS}"[:20] for n in range(cut)]
    titles += [f"{WORDS[n]}{WORDS}"[:19] for n in range(below)] + [WORDS[:21]] * longer
    courses = [
        {"sourcedId": f"c-{n}", "title": title, "orgSourcedId": "school"} for n, title in enumerate(titles)
    ]
    found = told(tmp_path, district(courses=courses))
    assert [(one.code, one.field, one.count) for one in found] == (
        [("cut-off", "title", cut)] if told_of else []
    )


def test_numbered_titles_of_one_length_are_not_cut(tmp_path: Path):
    courses = [
        {"sourcedId": f"c-{n}", "title": f"Algebra, Section {n:03}", "orgSourcedId": "school"}
        for n in range(50)
    ]
    assert all(len(course["title"]) == 20 for course in courses)
    assert not told(tmp_path, district(courses=courses))


def test_codes_of_one_length_are_not_cut(tmp_path: Path):
    people = [person(f"p-{n}", family=f"B{WORDS[n]}x") | {"username": WORDS[n] * 15} for n in range(20)]
    tables = with_people(*people)
    for one in tables["users"]:
        one["username"] = one["username"].ljust(15, "x")
    assert not told(tmp_path, tables)


def test_the_district_is_clean(tmp_path: Path):
    assert not told(tmp_path, district())


def test_grades_are_judged_as_they_are_stored(tmp_path: Path):
    people = [
        person("p-1", family="B1x", grades="09, 10"),
        person("p-2", family="B2x", grades="09 "),
        person("p-3", family="B3x", grades="KG;1,02"),
    ]
    found = told(tmp_path, with_people(*people))
    assert {one.value for one in found if one.code == "grade"} == {" 10", "09 ", "KG;1"}
    assert next(one.message for one in found if one.value == " 10").startswith("Take the blanks out. ")


@pytest.mark.parametrize(
    ("given", "family", "source_id"),
    [
        ("Patrick", "O'Brien", "patrick.obrien"),
        ("Jan", "Van Dyke", "jvandyke"),
        ("Ann", "Smith-Jones", "ann.smith-jones"),
        ("Ann", "Smith-Jones", "smithjones.ann"),
        ("José", "García", "jose.garcia"),
        ("Zoë", "Müller", "zoemuller1"),
    ],
)
def test_an_id_made_of_a_name_is_one_however_the_name_is_written(
    given: str, family: str, source_id: str, tmp_path: Path
):
    found = told(tmp_path, with_people(person(source_id, given, family)))
    assert whose(found, "id-personal") == {source_id}


@pytest.mark.parametrize(
    ("given", "family", "source_id"), [("Li", "-", "li-7"), ("An", "'", "an"), ("Bo", "Xu", "user-1")]
)
def test_an_id_is_not_personal_for_a_letter(given: str, family: str, source_id: str, tmp_path: Path):
    assert "id-personal" not in codes(told(tmp_path, with_people(person(source_id, given, family))))


def test_a_blank_is_no_name_and_is_shared_with_nobody(tmp_path: Path):
    people = [person(one, family="  ", username=" ", email=" ", identifier=" ") for one in ("p-1", "p-2")]
    found = told(tmp_path, with_people(*people))
    assert whose(found, "placeholder") == {"p-1"}
    assert not {"username-shared", "email-shared", "identifier-shared"} & codes(found)
