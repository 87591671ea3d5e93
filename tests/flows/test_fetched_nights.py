"""What a night of a provider does to the roster: who is gone is deleted where that is proved, and nowhere else.

All the ways in which a server can fail to prove it are in tests/connectors/test_rest_faults.py.
"""

from pathlib import Path

from rollbook.flows.fetch import accepted_counts
from rollbook.flows.ingest import carry_out
from rollbook.store.models import Connection, User
from tests.connectors.nights import Night, a_first_night, deletions, first_night, lost_last_page
from tests.connectors.provider import Provider, serving

__all__ = ["a_first_night", "first_night"]


def test_whoever_is_gone_is_deleted_where_that_is_proved(night: Night):
    gone = night.provider.records["enrollments"][7]["sourcedId"]
    night.provider.records["enrollments"] = [
        record for record in night.provider.records["enrollments"] if record["sourcedId"] != gone
    ]
    prepared = night.prepared()
    assert prepared.summary is not None
    assert prepared.summary.counts == {"enrollments": {"delete": 1}}
    assert carry_out(prepared).outcome == "success"


def test_what_is_new_comes_in_although_the_rest_is_not_proved(night: Night):
    newcomer = {
        **night.provider.records["users"][-1],
        "sourcedId": "newcomer",
        "username": "newcomer",
        "email": "n@riverbend.example",
    }
    night.provider.records["users"] = [newcomer, *night.provider.records["users"][:-3]]
    night.provider.missing["enrollments"] = 500
    run = night.over()
    assert run.outcome == "incomplete"
    assert User.objects.get(district=night.district, source_id="newcomer").status == "active"
    assert not User.objects.filter(district=night.district, status="tobedeleted").exists()


def test_users_are_not_taken_away_while_enrollments_are_not_proved(night: Night):
    night.provider.records["users"] = night.provider.records["users"][:-3]
    night.provider.spoil = lost_last_page
    assert deletions(night.prepared()) == 0


def test_a_pull_is_held_against_what_is_stored_of_its_own_connection(night: Night):
    counts = accepted_counts(night.connection)
    assert (counts["users"], counts["enrollments"], counts["orgs"]) == (66, 165, 4)
    assert set(accepted_counts(Connection.objects.get(district=night.district, kind="upload")).values()) == {
        0
    }


def test_a_first_night_that_is_not_proved_is_no_success_either(db: None, tmp_path: Path):
    with serving(Provider(spoil=lost_last_page)) as provider:
        night = Night(provider, tmp_path)
        assert night.over().outcome == "incomplete"
        provider.spoil = lambda ask, reply: reply
        assert night.over().outcome == "success"
    assert User.objects.filter(district=night.district, status="active").count() == 66
