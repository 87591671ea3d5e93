"""Days and moments in sentences are written as the reader writes them; ids, files, addresses and values stay as they are."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from rollbook.console.dates import dated, day, days_words, moment_text
from rollbook.console.looking import member_text


@pytest.mark.parametrize(
    ("sentence", "american", "british"),
    [
        ("Since 2026-06-17.", "Since June 17, 2026.", "Since 17 Jun 2026."),
        ("2026-06-17", "June 17, 2026", "17 Jun 2026"),
        (
            "until 2026-06-17, or 2026-07-01",
            "until June 17, 2026, or July 1, 2026",
            "until 17 Jun 2026, or 1 Jul 2026",
        ),
        (
            "At 2026-06-17T04:30:00.000Z it ended.",
            "At June 16, 2026, 11:30 p.m. it ended.",
            "At 16 Jun 2026, 11:30 p.m. it ended.",
        ),
        ("2026-06-17 12:00 UTC", "June 17, 2026, 7 a.m.", "17 Jun 2026, 7 a.m."),
    ],
)
def test_a_day_in_a_sentence_is_written_as_the_reader_writes_days(sentence, american, british):
    with timezone.override(ZoneInfo("America/Chicago")):
        for language, words in (("en", american), ("en-gb", british)):
            with translation.override(language):
                assert dated(sentence) == words


@pytest.mark.parametrize(
    "sentence",
    [
        "roster-2026-06-17.zip was not there",
        "inbox/2026-06-17/users.csv",
        "class-2026-06-17",
        "2026-06-17-b",
        "2026-13-45",
        "at 12:2026-06-17",
        "",
    ],
)
def test_what_only_looks_like_a_day_stays(sentence):
    assert dated(sentence) == sentence


def test_what_is_no_day_is_shown_as_it_is():
    assert [day(text) for text in ("20260617", "2026-06-31", "soon", None)] == [
        "20260617",
        "2026-06-31",
        "soon",
        "",
    ]


def test_days_are_said_from_the_first_to_the_last():
    assert days_words("2026-06-17", "2026-07-01") == "from June 17, 2026 to July 1, 2026"
    assert days_words("2026-06-17", None) == "from June 17, 2026"
    assert days_words(None, "2026-07-01") == "to July 1, 2026"
    assert days_words(None, None) == ""


def test_what_an_app_is_given_is_shown_with_days_and_a_title_is_left_alone():
    assert member_text("beginDate", "2026-06-17") == "June 17, 2026"
    assert member_text("title", "2026-06-17") == "2026-06-17"
    assert (
        member_text("roles", [{"role": "aide", "endDate": "2026-06-17"}])
        == "role aide, endDate June 17, 2026"
    )
    with timezone.override(ZoneInfo("America/Chicago")):
        changed = member_text("dateLastModified", "2026-06-17T04:30:00.000Z")
        assert changed == moment_text(datetime(2026, 6, 17, 4, 30, tzinfo=UTC)) == "June 16, 2026, 11:30 p.m."
