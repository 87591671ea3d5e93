"""A plan on the shelf is what was planned, operation by operation."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.engine.sync.operations import CREATE, KINDS, MEMBERS, UPDATE, Operation, Remark
from rollbook.engine.sync.plan_file import (
    PlanWriter,
    operations_of,
    read_plan,
    read_remarks,
    repeated,
    sample_of,
    write_remarks,
)

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
VALUES = st.one_of(TEXT, st.booleans(), st.lists(TEXT, max_size=3).map(tuple))
FIELDS = st.dictionaries(st.sampled_from(("email", "roles", "title")), VALUES, max_size=3)
PRINTED = TEXT.filter(lambda text: "\0" not in text)


def operations() -> st.SearchStrategy[list[Operation]]:
    one = st.builds(
        Operation,
        number=st.just(0),
        action=st.just(UPDATE),
        kind=st.sampled_from(KINDS),
        source_id=PRINTED,
        target=PRINTED,
        before=FIELDS,
        after=FIELDS,
        changed=st.lists(st.sampled_from(("email", "roles")), unique=True).map(tuple),
        reason=st.just("changed"),
        base=FIELDS,
        at=st.lists(TEXT, max_size=2).map(tuple),
        group=PRINTED,
        line=st.integers(0, 9),
    )
    return st.lists(one, max_size=4)


def written(folder: Path, planned: list[Operation]) -> Path:
    writer = PlanWriter(folder)
    for operation in planned:
        writer(operation)
    writer.close()
    return writer.path


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(planned=operations())
def test_what_is_read_is_what_was_written(tmp_path: Path, planned: list[Operation]) -> None:
    numbered = [
        Operation(**{field: getattr(one, field) for field in Operation.__slots__} | {"number": place})
        for place, one in enumerate(planned, 1)
    ]
    path = written(tmp_path, numbered)
    assert list(read_plan(path)) == numbered
    assert list(read_plan(path, after=2)) == numbered[2:]


def test_a_plan_is_searched_by_its_records(tmp_path: Path) -> None:
    planned = [
        Operation(1, CREATE, MEMBERS, "s1", "+s1", after={"email": "a@b.example"}),
        Operation(2, UPDATE, MEMBERS, "s2", "17", after={"email": "c@d.example"}, changed=("email",)),
        Operation(3, UPDATE, MEMBERS, "s1", "+s1", after={"grade": "06"}, changed=("grade",)),
    ]
    path = written(tmp_path, planned)
    assert [one.number for one in operations_of(path, [(MEMBERS, "+s1")])] == [1, 3]
    assert [one.number for one in operations_of(path, [(MEMBERS, "s2")])] == [2]
    assert sorted(sample_of(path, 9, (CREATE, UPDATE))) == [(MEMBERS, "+s1"), (MEMBERS, "17")]
    assert sample_of(path, 9, ("archive",)) == []
    assert repeated(path) == {(MEMBERS, "+s1"): 1}


def test_remarks_are_kept_beside_it(tmp_path: Path) -> None:
    said = [Remark(MEMBERS, "s1", "no-email", line=4), Remark(MEMBERS, "s2", "no-email", "email")]
    assert list(read_remarks(write_remarks(tmp_path, said))) == said
