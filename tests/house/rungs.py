"""Writes docs/reference/sign-in-ladder.md: every rung on which members are recognised, what it says, and the test that holds it to that."""

from rollbook.engine.signing_in.ladder import CHOSEN, LINK, OUTCOMES, REVIEW, SEAT, TENANT
from tests.engine.signing_in.test_ladder import WAYS

LADDER_TEST = "tests/engine/signing_in/test_ladder.py::test_the_ladder"
FLOW, DOOR = "tests/flows/test_signing_in.py", "tests/console/test_entering.py"
BROWSER = "tests/console/test_refusals_browser.py"
RUNGS = {
    TENANT: "Issuer and tenant",
    LINK: "A known sign-in",
    **dict(zip(CHOSEN, ("sourcedId of the roster", "Identifier", "Username", "E-mail address"), strict=True)),
    REVIEW: "Nobody found",
    SEAT: "Membership and seat",
}
BEYOND = [
    (SEAT, "the first sign-in takes a seat", f"{FLOW}::test_the_first_sign_in_takes_a_seat_and_makes_an_account_without_an_address"),
    (SEAT, "no seat is free", f"{FLOW}::test_without_a_free_seat_nothing_is_linked"),
    (SEAT, "twenty first sign-ins at once, one seat", f"{FLOW}::test_the_last_seat_raced_by_twenty_first_sign_ins_is_one_persons"),
    (SEAT, "a provider that does not roster", f"{FLOW}::test_by_default_only_the_provider_that_rosters_takes_a_seat"),
    (SEAT, "a provider that takes none", f"{FLOW}::test_who_may_take_no_seat_enters_only_who_is_active_already"),
    (SEAT, "a deactivated account", f"{FLOW}::test_an_account_that_was_deactivated_opens_nothing"),
    (LINK, "a second provider, the same account", f"{FLOW}::test_a_second_provider_reaches_the_same_account"),
    (LINK, "one person in two windows at once", f"{FLOW}::test_one_person_in_two_windows_at_once_is_one_sign_in"),
    (LINK, "suspended, archived, ended, switched off", f"{FLOW}::test_a_session_ends_with_what_it_rests_on"),
    (CHOSEN[0], "an id that is somebody else's now", f"{FLOW}::test_an_id_that_was_given_to_somebody_else_is_no_history"),
    (CHOSEN[0], "an id followed by another, in a browser", f"{BROWSER}::test_who_comes_by_an_id_that_was_followed_by_another_is_who_they_were"),
    (REVIEW, "members of another organization", f"{FLOW}::test_nobody_is_looked_for_among_another_organizations_members"),
    (REVIEW, "each refusal is a page with a number", f"{DOOR}::test_who_is_kept_out_reads_why_whom_to_ask_and_a_number"),
    (REVIEW, "every refusal, in a browser and by a real provider", f"{BROWSER}::test_who_is_kept_out_reads_why_whom_to_ask_and_a_number"),
    (REVIEW, "the office finds them by the number", f"{BROWSER}::test_the_office_finds_by_the_number_what_happened"),
]  # fmt: skip
"""What holds beside the ladder itself: (rung, what is tried, its test)."""


def ladder_markdown() -> str:
    """The page."""
    lines = [
        "# How members are recognised: every rung and its test",
        "",
        "From the surest rung to the weakest; the first that does not say *no* ends it ([how to set it up](../how-to/sign-in-for-members.md)).",
        f"Lines without a test of their own are cases of `{LADDER_TEST}`, by the words that stand here. `script/docs` writes this page from the",
        "tests.",
        "",
    ]
    for rung, title in RUNGS.items():
        lines += [f"## {title}", "", "| what is tried | comes to | test |", "|---|---|---|"]
        lines += [f"| {words} | {_comes_to(end)} | |" for words, *_, end in WAYS if _rung_of(end) == rung]
        lines += [f"| {words} | | `{test}` |" for of, words, test in BEYOND if of == rung]
        lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def _rung_of(end: str) -> str:
    return end.partition(":")[0]


def _comes_to(end: str) -> str:
    what = end.partition(":")[2]
    return f"not let in: `{what}`" if what in OUTCOMES else "recognised"
