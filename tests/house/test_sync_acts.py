"""Whatever can be done with syncs and members can be done by a command and by an organization's program: the table of it.

A command or an address of these parts that stands in no row fails here, and so does a row that lacks a door. Every command answers in JSON.
"""

from typing import Any

import pytest
import typer

from rollbook.api import sync_calls
from rollbook.cli.main import app
from tests.house.reference import commands

WRITTEN = """
    Connections
    connect a source                               | sync connect | sync_connect
    see the connections, and when each runs next   | sync list, sync show, sync calendar | sync_connections sync_connection
    change one                                     | sync edit | sync_edit
    ask its source what it has                     | sync test | sync_test
    let nothing begin                              | sync pause | sync_pause
    days of rest                                   | sync days add, sync days list, sync days remove | sync_days sync_add_days sync_remove_days

    Mapping
    see which school is which site                 | sync map | sync_schools
    say it                                         | sync map, sync decide | sync_decide
    see what only a person may decide              | sync cases | sync_cases
    decide it                                      | sync decide | sync_decide

    Runs
    look at what a sync would do                   | sync preview | sync_begin
    sync now                                       | sync run | sync_begin
    sync one user, class or school now             | sync resync | sync_begin
    carry out what was shown or held               | sync approve | sync_approve
    never carry out what was held                  | sync discard | sync_discard
    end a run                                      | sync cancel | sync_cancel
    take a run back                                | sync undo | sync_undo
    see how far runs are                           | sync status | sync_runs sync_run
    see what became of every record, as CSV too    | sync report | sync_run sync_records sync_report_csv
    explain a record from end to end               | sync explain | sync_explain
    see how every record of the source stands      | sync states | sync_states_csv
    make classes groups, or groups classes         | sync switch | sync_switch

    People one by one
    see who may be imported, as of this moment     | sync candidates | sync_look sync_candidates
    import them                                    | sync import | sync_import
    see the members                                | member list, member show | sync_members sync_member
    take a seat for one                            | member activate | sync_activate_member
    archive one                                    | member archive | sync_archive_member
    bring one back                                 | member restore | sync_restore_member
"""
"""An act, the commands and the operations of /api/v1/sync by which it is done."""

OF_THE_SERVER_ALONE = {
    "sync activate": "whether a connection may run is for those who run the installation",
    "sync disconnect": "ends what those who run the installation let begin",
    "sync target": "where a sync goes is for those who run the installation",
    "sync change": "shown before it counts, for somebody who looks at it; a program edits",
    "sync withdraw": "as above",
    "sync settings": "as above",
    "sync preset": "a beginning that somebody chooses",
    "sync drop": "takes back what somebody began and never went on with",
    "sync reconnect": "as sync disconnect",
    "sync resume": "gives a walk to another worker, for those who run the installation",
    "sync retry": "a program syncs the records anew that were not taken",
    "sync holds": "a run tells a program what it holds",
    "sync affected": "who would lose what, ranked for somebody who decides",
    "sync raise": "a limit is for somebody to raise, with the reason",
    "sync case": "two records side by side, for somebody who decides",
    "sync help ask": "a person asks a person",
    "sync help list": "as above",
    "sync help answer": "as above",
    "member history": "for somebody who looks at one person",
    "member origins": "as above",
    "member suspend": "a person's decision about a person",
    "member let-in": "as above",
    "member merge": "as above",
    "member merges": "as above",
    "member unmerge": "as above",
    "member add": "a person's work in the console; programs bring people by a source",
    "member role": "as above",
    "member site": "as above",
    "member set": "as above",
    "member follow": "as above",
}
"""Commands without an operation, and why."""

Row = tuple[str, list[str], list[str]]


def rows() -> list[Row]:
    cells = [[cell.strip() for cell in line.split("|")] for line in WRITTEN.splitlines() if "|" in line]
    return [(act, verbs.split(", "), names.split()) for act, verbs, names in cells]


def verbs() -> dict[str, Any]:
    """The commands about syncs and members, by name."""
    found = {
        name.removeprefix("rollbook "): one for name, one in commands("rollbook", typer.main.get_command(app))
    }
    return {
        name: one
        for name, one in found.items()
        if name.split()[0] in ("sync", "member") and not getattr(one, "commands", None)
    }


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_act_with_a_sync_has_a_command_and_an_operation(row: Row) -> None:
    _, by_command, by_program = row
    assert set(by_command) <= set(verbs())
    assert set(by_program) <= set(sync_calls.HANDLES)


def test_no_command_about_syncs_is_missing_in_the_table() -> None:
    told = {verb for _, by_command, _ in rows() for verb in by_command}
    assert told | set(OF_THE_SERVER_ALONE) == set(verbs())
    assert not told & set(OF_THE_SERVER_ALONE)


def test_no_operation_on_syncs_is_missing_in_the_table() -> None:
    assert {name for *_, by_program in rows() for name in by_program} == set(sync_calls.HANDLES)


def test_every_command_about_syncs_answers_in_json() -> None:
    lacking = [
        name for name, one in verbs().items() if not any("--json" in option.opts for option in one.params)
    ]
    assert lacking == []
