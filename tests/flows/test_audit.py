"""The audit log: entries with their acts, in one chain a district, and whatever is done to the chain is found out."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from rollbook.console.audit import ACTS
from rollbook.flows import apps, audit, keys
from rollbook.flows.acting import COMMAND_LINE, ITSELF, acting
from rollbook.flows.districts import add_district
from rollbook.flows.limits import set_limits
from rollbook.store.models import AuditEntry
from rollbook.store.models.auditing import AppendOnlyError
from tests.delivered import a_district, a_grant
from tests.house.source import texts

pytestmark = pytest.mark.django_db


@pytest.fixture
def district():
    return a_district()


def acts(district) -> list[str]:
    return list(audit.entries(district.pk).order_by("number").values_list("act", flat=True))


def tamper(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_an_act_says_who_did_it_by_which_door_and_what_changed(district):
    with acting("brandt@riverbend.example", COMMAND_LINE):
        set_limits(district, "users", {"delete_percent": 7})
    entry = audit.entries(district.pk)[0]
    told = audit.told(entry)
    assert (told["actor"], told["door"], told["act"]) == (
        "brandt@riverbend.example",
        COMMAND_LINE,
        "limits.change",
    )
    assert (told["kind"], told["object"]) == ("limits", "users")
    assert told["after"] == {"delete_percent": 7}
    assert told["before"]["delete_percent"] != 7


def test_where_nobody_is_named_rollbook_itself_acts(district):
    assert audit.entries(district.pk).order_by("number")[0].actor == ITSELF


def test_an_act_that_is_taken_back_leaves_no_entry(district):
    before = acts(district)
    with transaction.atomic():
        set_limits(district, "users", {"delete_percent": 7})
        assert acts(district) == [*before, "limits.change"]
        transaction.set_rollback(True)
    assert acts(district) == before
    assert audit.verify(district.pk).holds


def test_every_chain_counts_for_itself_and_holds(district):
    other = add_district("Cedar Valley Schools")
    for place in (district.pk, other.pk, None):
        for number in range(3):
            audit.record(place, "test.done", "thing", number)
    for place in (district.pk, other.pk, None):
        verdict = audit.verify(place)
        assert verdict.holds, verdict.wrong
        numbers = list(audit.entries(place).order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, verdict.entries + 1))


@pytest.mark.parametrize("column", ["actor", "act", "object", "about", "before", "after", "door", "kind"])
def test_a_changed_value_is_found(district, column: str):
    for number in range(3):
        audit.record(district.pk, "test.done", "thing", number, "a thing", before={"a": 1}, after={"a": 2})
    tamper(f"UPDATE store_auditentry SET {column} = 'x' WHERE district_id = %s AND number = 2", district.pk)
    verdict = audit.verify(district.pk)
    assert (verdict.wrong, verdict.number, verdict.entries) == ("Entry 2 was changed.", 2, 1)


@pytest.mark.parametrize(
    ("number", "wrong"), [(2, "Entry 2 is missing."), (4, "Entries at its end are missing.")]
)
def test_a_removed_entry_is_found(district, number: int, wrong: str):
    for one in range(3):
        audit.record(district.pk, "test.done", "thing", one)
    tamper("DELETE FROM store_auditentry WHERE district_id = %s AND number = %s", district.pk, number)
    assert audit.verify(district.pk).wrong == wrong


def test_a_chain_written_anew_is_found_by_what_was_noted_elsewhere(district):
    audit.record(district.pk, "test.done", "thing", 1)
    noted = audit.verify(district.pk)
    assert audit.verify(district.pk, (noted.entries, noted.hash)).holds
    tamper("DELETE FROM store_auditentry WHERE district_id = %s", district.pk)
    tamper("DELETE FROM store_audithead WHERE district_id = %s", district.pk)
    for _ in range(noted.entries):
        audit.record(district.pk, "test.other", "thing", 1)
    assert audit.verify(district.pk).holds
    assert not audit.verify(district.pk, (noted.entries, noted.hash)).holds


def test_our_own_code_cannot_change_an_entry(district):
    entry = audit.record(district.pk, "test.done", "thing", 1)
    for attempt in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(act="x"),
    ):
        with pytest.raises(AppendOnlyError):
            attempt()


def test_the_log_is_searched_and_narrowed(district):
    audit.record(district.pk, "key.add", "key", "abc-1", "Reading App")
    audit.record(district.pk, "keyring.add", "keyring", "1", "Écoles", by="Étienne")
    assert [one.act for one in audit.entries(district.pk, act="key")] == ["key.add"]
    assert [one.act for one in audit.entries(district.pk, "reading app")] == ["key.add"]
    assert [one.act for one in audit.entries(district.pk, actor_name="Étienne")] == ["keyring.add"]
    assert not audit.entries(district.pk, "nothing of the kind").exists()


def test_the_life_of_a_key_is_told_and_no_secret_of_it(district):
    grant = a_grant(district)
    key = keys.add_key(grant, oauth1=True, name="server")
    renewed = keys.renew_secret(keys.find_key(key.client_id))
    keys.read_secret(keys.find_key(key.client_id))
    keys.revoke_key(key.client_id)
    apps.disable(grant)
    assert acts(district)[-5:] == ["key.add", "key.renew", "key.show_secret", "key.revoke", "grant.disable"]
    written = str(list(AuditEntry.objects.values()))
    assert key.client_secret not in written
    assert renewed.client_secret not in written


def test_a_file_has_the_chain_in_its_order(district):
    header, first, *_ = audit.rows(audit.entries(district.pk))
    assert header[0] == "number"
    assert first[:1] == ["1"]
    assert first[-1] == audit.entries(district.pk).order_by("number")[0].hash


@pytest.mark.django_db(transaction=True)
def test_two_who_act_at_once_make_one_chain():
    district = a_district()

    def act(number: int) -> None:
        try:
            for one in range(10):
                audit.record(district.pk, "test.done", "thing", f"{number}-{one}")
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(act, range(3)))
    verdict = audit.verify(district.pk)
    assert (verdict.holds, audit.entries(district.pk, act="test").count()) == (True, 30)


def test_every_act_that_is_recorded_has_words_in_the_console():
    recorded = {
        act
        for path, text in texts()
        if path.startswith("rollbook/")
        for call in re.findall(
            r"(?:audit\.record|_record|_record_everywhere|_note)\((.{0,300})", text, re.DOTALL
        )
        for act in re.findall(r'^[^"]*"([a-z_-]+\.[a-z_-]+)"', call)
    }
    assert len(recorded) > 50
    assert recorded - set(ACTS) == set()
