"""Queries as clients send them, read into a Question or refused with the place of the fault."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.oneroster import filters
from rollbook.oneroster.filters import BadQuery, find_path, read_filter
from rollbook.oneroster.operations import OPERATION, OPERATIONS
from rollbook.oneroster.query import Question, parse
from rollbook.oneroster.spec import Operation

VERSIONS = ("1.1", "1.2")
READS = [operation for operation in OPERATIONS if operation.method == "GET" and operation.served]


def ask(
    query: dict[str, str] | list[tuple[str, str]], operation_id: str = "getAllUsers", version: str = "1.2"
) -> Question:
    pairs = list(query.items()) if isinstance(query, dict) else query
    return parse(OPERATION[(version, operation_id)], (), pairs)


def groups(
    filter_: str, operation_id: str = "getAllUsers", version: str = "1.2"
) -> list[list[tuple[str, str, tuple[object, ...]]]]:
    tree = read_filter(ask({}, operation_id, version).entity, filter_)
    return [
        [(clause.path.text, clause.predicate, clause.operands) for clause in group.clauses]
        for group in tree.groups
    ]


def refused(
    query: dict[str, str] | list[tuple[str, str]], operation_id: str = "getAllUsers", version: str = "1.2"
) -> BadQuery:
    with pytest.raises(BadQuery) as caught:
        ask(query, operation_id, version)
    return caught.value


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("status='active'", ("status", "=", ("active",))),
        ("email='a@b'", ("email", "=", ("a@b",))),
        ("givenName='Colin Robert'", ("givenName", "=", ("Colin Robert",))),
        ("  givenName  =  'x'  ", ("givenName", "=", ("x",))),
        ("givenName!='x'", ("givenName", "!=", ("x",))),
        ("GIVENNAME~'x'", ("givenName", "~", ("x",))),
        ("roles.role='teacher'", ("roles.role", "=", ("teacher",))),
        ("roles.org.sourcedId='s1'", ("roles.org.sourcedId", "=", ("s1",))),
        ("Roles.Org='s1'", ("roles.org.sourcedId", "=", ("s1",))),
        ("userIds.identifier='9'", ("userIds.identifier", "=", ("9",))),
        ("primaryOrg='s1'", ("primaryOrg.sourcedId", "=", ("s1",))),
        ("metadata.ext.shoe size='9'", None),
        ("metadata.ext.shoeSize='9'", ("metadata.ext.shoeSize", "=", ("9",))),
        ("grades='09, 10,,09'", ("grades", "=", ("09", "10"))),
        ("grades=''", ("grades", "=", ("",))),
        ("familyName='a, b'", ("familyName", "=", ("a, b",))),
        ("familyName=''", ("familyName", "=", ("",))),
        ("familyName='O''Brien'", ("familyName", "=", ("O'Brien",))),
        (r"familyName='O\'Brien'", ("familyName", "=", ("O'Brien",))),
        ("familyName='O'Brien'", ("familyName", "=", ("O'Brien",))),
        ("familyName=''''", ("familyName", "=", ("'",))),
        ("familyName='Rock AND Roll OR not'", ("familyName", "=", ("Rock AND Roll OR not",))),
        ("familyName='a=b'", ("familyName", "=", ("a=b",))),
        (r"familyName='a\b'", ("familyName", "=", (r"a\b",))),
        ("dateLastModified>'1970-01-02'", ("dateLastModified", ">", (86_400_000_000,))),
        ("dateLastModified>='1970-01-01T00:00:00.000001Z'", ("dateLastModified", ">=", (1,))),
        ("dateLastModified='1970-01-01T02:00:00+02:00'", ("dateLastModified", "=", (0,))),
        ("dateLastModified='1970-01-01T02:00:00 02:00'", ("dateLastModified", "=", (0,))),
        ("dateLastModified='1969-12-31T23:00-0100'", ("dateLastModified", "=", (0,))),
        ("dateLastModified~'2026'", ("dateLastModified", "~", ("2026",))),
        ("roles.beginDate<'2026-01-01T00:30:00+01:00'", ("roles.beginDate", "<", ("2025-12-31",))),
    ],
)
def test_one_comparison_is_read_as_it_was_meant(filter_: str, expected: tuple[object, ...] | None):
    if expected is None:
        refused({"filter": filter_})
    else:
        assert groups(filter_) == [[expected]]


def test_and_binds_tighter_than_or_in_any_chain():
    assert [
        len(group) for group in groups("sms='1' OR sms='2' AND email~'x' AND phone='3' OR phone='4'")
    ] == [1, 3, 1]


def test_a_connective_may_lack_its_spaces():
    assert groups("sms='1'AND email='2' ORphone='3'") == [
        [("sms", "=", ("1",)), ("email", "=", ("2",))],
        [("phone", "=", ("3",))],
    ]


@pytest.mark.parametrize(
    ("filter_", "position"),
    [
        ("shoeSize='9'", 0),
        ("status='active' AND shoeSize='9'", 20),
        ("status.word='active'", 0),
        ("roles='teacher'", 0),
        ("roles.shoe='teacher'", 0),
        ("metadata='x'", 0),
        ("primaryOrg.href='x'", 0),
        ("status<>'active'", 7),
        ("status=='active'", 7),
        ("status='active' and email='x'", 16),
        ("status='active' XOR email='x'", 16),
        ("status='active' email='x'", 16),
        ("status='active'&&email='x'", 15),
        ("status='active' AND", 7),
        ("status='active' AND ", 7),
        ("status='active' junk", 7),
        ("status='active", 7),
        ("status=active", 7),
        ('status="active"', 7),
        ("status", 6),
        ("='active'", 0),
        ("(status='active')", 0),
        ("NOT status='active'", 0),
        ("dateLastModified>'yesterday'", 17),
        ("dateLastModified>'2026-02-30'", 17),
        ("dateLastModified>'2026-01-01T25:00:00Z'", 17),
        ("dateLastModified>'0000-01-01'", 17),
        ("dateLastModified>''", 17),
        ("roles.beginDate='soon'", 16),
        ("familyName='a\x00b'", 13),
        ("familyName='a\ud800b'", 13),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_position(filter_: str, position: int):
    fault = refused({"filter": filter_})
    assert (fault.kind, fault.parameter, fault.position) == ("invalid_filter_field", "filter", position)


def test_a_word_outside_the_vocabulary_is_a_question_all_the_same():
    assert groups("status='norecords'") == [[("status", "=", ("norecords",))]]


def test_a_filter_of_endless_comparisons_is_refused():
    refused({"filter": " OR ".join(["sms='1'"] * 201)})
    refused({"filter": f"grades='{','.join(map(str, range(1_001)))}'"})
    assert len(groups(" OR ".join(["sms='1'"] * 200))) == 200


def test_an_empty_filter_asks_for_everything():
    assert ask({"filter": " "}).filter is None


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize("text", ["abc", "-1", "1e3", "+5", "9223372036854775808", "", " 1", "1.0", "٣"])
def test_a_limit_or_offset_that_is_no_whole_number_is_refused(name: str, text: str):
    assert refused({name: text}).kind == "invaliddata"


@pytest.mark.parametrize("text", ["0", "10001"])
def test_a_limit_is_from_one_to_ten_thousand(text: str):
    assert refused({"limit": text}).parameter == "limit"


def test_a_limit_and_an_offset_are_taken_at_their_word():
    question = ask({"limit": "10000", "offset": "9223372036854775807"})
    assert (question.limit, question.offset) == (10_000, 2**63 - 1)
    assert (ask({}).limit, ask({}).offset) == (100, 0)


@pytest.mark.parametrize("name", ["filter", "sort", "orderBy", "fields", "limit", "offset"])
def test_a_parameter_given_twice_is_refused(name: str):
    assert refused([(name, "1"), (name, "1")]).kind == "invaliddata"


def test_unknown_parameters_are_ignored():
    assert ask([("page", "1"), ("page", "2"), ("Limit", "x")]) == ask({})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"sort": "familyName"}, ("familyName", False)),
        ({"sort": "FamilyName", "orderBy": "DESC"}, ("familyName", True)),
        ({"sort": "familyName", "orderBy": "sideways"}, ("familyName", False)),
        ({"sort": "primaryOrg", "orderBy": "asc"}, ("primaryOrg.sourcedId", False)),
        ({"sort": "metadata.shoe"}, ("metadata.shoe", False)),
        ({"orderBy": "desc"}, None),
        ({"sort": ""}, None),
    ],
)
def test_a_sort_is_one_scalar_in_one_direction(query: dict[str, str], expected: tuple[str, bool] | None):
    sort = ask(query).sort
    assert (sort and (sort.path.text, sort.descending)) == expected


@pytest.mark.parametrize(
    "name", ["shoeSize", "grades", "roles", "roles.role", "metadata", "familyName,givenName", "metadata.\x00"]
)
def test_what_cannot_be_sorted_by_is_remarked_and_left(name: str):
    question = ask({"sort": name})
    assert question.sort is None
    assert question.warnings == (("invalid_sort_field", name),)


def test_fields_are_members_in_the_standards_order():
    assert ask({"fields": "familyName, SOURCEDID,,givenName,familyName"}).fields == (
        "sourcedId",
        "givenName",
        "familyName",
    )
    assert ask({}).fields is None


def test_an_unknown_selection_is_refused_by_1_2_and_remarked_by_1_1():
    fault = refused({"fields": "sourcedId,shoeSize"})
    assert (fault.kind, fault.position) == ("invalid_selection_field", 10)
    question = ask({"fields": "sourcedId,shoeSize"}, version="1.1")
    assert (question.fields, question.warnings) == (None, (("invalid_selection_field", "shoeSize"),))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_a_blank_selection_is_refused(version: str, text: str):
    assert refused({"fields": text}, version=version).kind == "invalid_blank_selection_field"


def test_a_single_record_knows_fields_alone():
    question = ask({"limit": "abc", "filter": "x", "fields": "sourcedId"}, "getUser")
    assert (question.fields, question.filter) == (("sourcedId",), None)


def test_a_field_belongs_to_its_version():
    assert groups("role='student'", version="1.1") == [[("role", "=", ("student",))]]
    refused({"filter": "role='student'"}, version="1.2")
    assert groups("orgs.sourcedId='x'", version="1.1")
    refused({"filter": "orgs.sourcedId='x'"}, version="1.2")


def test_the_digest_names_what_is_asked_for_and_not_the_page():
    asked = {"filter": "status='active'", "sort": "familyName"}
    same = {
        "filter": " STATUS = 'active' ",
        "sort": "familyname",
        "limit": "7",
        "offset": "14",
        "fields": "sourcedId",
    }
    assert ask(asked).digest == ask(same).digest
    others = [
        ask({}),
        ask(asked, "getAllStudents"),
        ask(asked, version="1.1"),
        ask(asked | {"orderBy": "desc"}),
        ask(asked | {"filter": "status!='active'"}),
        ask(asked | {"filter": "status='Active'"}),
        parse(OPERATION[("1.2", "getStudentsForSchool")], ["s1"], []),
        parse(OPERATION[("1.2", "getStudentsForSchool")], ["s2"], []),
    ]
    assert len({question.digest for question in [ask(asked), *others]}) == len(others) + 1


def test_every_member_of_every_read_can_be_named_but_composite_ones():
    for operation in READS:
        entity = parse(operation, (), []).entity
        for member in entity.members:
            composite = member.type in ("object", "metadata")
            assert isinstance(find_path(entity, member.name), filters.Path) is not composite, (
                entity,
                member.name,
            )


WORDS = st.sampled_from(
    ["status", "'", "''", "\\'", "=", "!=", "<", ">=", "~", " ", "AND", "OR", "active", "grades", ",", "roles.role", ".",
     "metadata.", "dateLastModified", "2026-01-01", "T", "Z", "\x00", "é", "+02:00", "9" * 20, "-1"]
)  # fmt: skip
HOSTILE = st.lists(WORDS | st.text(max_size=5), max_size=30).map("".join)
NAMES = st.sampled_from(["filter", "sort", "orderBy", "fields", "limit", "offset", "other"])


@given(st.sampled_from(READS), st.lists(st.tuples(NAMES, HOSTILE), max_size=5))
def test_nothing_a_client_writes_does_more_than_being_refused(
    operation: Operation, query: list[tuple[str, str]]
):
    fault, digest = None, ""
    try:
        digest = parse(operation, ("x",), query).digest
    except BadQuery as refusal:
        fault = refusal
    if fault is None:
        assert len(digest) == 64
    else:
        assert fault.text
        assert fault.position <= max(len(text) for _, text in query)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\\")))
def test_every_text_can_be_asked_for_with_its_quotes_doubled(text: str):
    doubled = text.replace("'", "''")
    assert groups(f"familyName='{doubled}'") == [[("familyName", "=", (text,))]]


PAGE = Path(__file__).parents[2] / "docs" / "reference" / "query.md"
DOCUMENTED = re.findall(r"^\| `(.+?'.*)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("filter_", DOCUMENTED)
def test_every_filter_of_the_reference_can_be_asked_somewhere(filter_: str):
    answers = []
    for operation in READS:
        try:
            answers.append(parse(operation, (), [("filter", filter_)]).filter)
        except BadQuery:
            continue
    assert any(answers)


def test_the_reference_gives_examples():
    assert len(DOCUMENTED) > 10
