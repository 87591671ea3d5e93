"""What a run found: shown by kind and one by one, narrowed, downloaded; what findings mean; what the district counts them for."""

import csv
import io
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from rollbook.engine.catalogue import CATALOGUE
from rollbook.engine.findings import LISTED, Findings
from rollbook.flows.severities import set_severity, severities_of
from rollbook.store.found import keep_found
from rollbook.store.models import Connection, District, Run
from tests.console.test_dashboard import text_of


@pytest.fixture
def run(district: District) -> Run:
    """A run that found a little of much, and much of one kind."""
    connection = Connection.objects.get(district=district)
    run = Run.objects.create(district=district, connection=connection, flow="ingest", outcome="success")
    findings = Findings(lenient=True, severities={"boolean-case": "error"})
    findings.add("enum", "classes.csv", 2, "classType", "playground", "Write one of: scheduled.", "class-1")
    findings.add("required", "users.csv", 3, "username", "", "Fill username.", "student-1")
    findings.add("boolean-case", "users.csv", 4, "enabledUser", "TRUE", "Read as true. ", "student-2")
    for line in range(LISTED + 50):
        findings.add("list-empty-item", "users.csv", 5 + line, "email", "amara@home", "", "student-3")
    run.findings = findings.counts()
    run.save()
    keep_found(run, findings)
    return run


def path(name: str, run: Run, **narrow: str) -> str:
    address = reverse(name, kwargs={"tenant": run.district_id, "run_id": run.pk})
    return f"{address}?{'&'.join(f'{key}={text}' for key, text in narrow.items())}" if narrow else address


def kind(district: District, code: str, name: str = "finding") -> str:
    return reverse(name, kwargs={"tenant": district.pk, "code": code})


def test_totals_are_exact_however_many_are_listed(console: Client, run: Run):
    text = text_of(console.get(path("import-findings", run)))
    assert "153 findings" in text
    assert f"list-empty-item 150 {CATALOGUE['list-empty-item'].title}" in text
    assert "1–50 of 104 listed" in text


def test_long_lists_have_pages(console: Client, run: Run):
    narrow = {"code": "list-empty-item"}
    last = console.get(path("import-findings", run, **narrow, **{"from": "100"}))
    assert "101–101 of 101 listed" in text_of(last)
    assert "?code=list-empty-item&amp;from=50" in last.content.decode()
    beyond = console.get(path("import-findings", run, **narrow, **{"from": "99999"}))
    assert "101–101 of 101 listed" in text_of(beyond)


def test_findings_are_narrowed_by_kind_severity_and_file(console: Client, run: Run):
    text = text_of(console.get(path("import-findings", run, severity="error", file="users.csv")))
    assert "2 findings" in text
    assert "users.csv:3" in text
    assert "users.csv:4" in text
    assert "classes.csv:2" not in text
    assert "No finding is all of this" in text_of(console.get(path("import-findings", run, code="nothing")))


def test_a_severity_of_the_districts_own_is_told_as_such(console: Client, run: Run):
    assert "as this district has decided" in text_of(
        console.get(path("import-findings", run, code="boolean-case"))
    )
    assert "as this district has decided" not in text_of(
        console.get(path("import-findings", run, code="enum"))
    )


def test_nothing_personal_is_shown_or_downloaded(console: Client, run: Run):
    for name in ("import", "import-findings", "import-findings-csv", "import-findings-json"):
        answer = console.get(path(name, run))
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert b"amara@home" not in body
        assert name == "import" or b"xxxxx@xxxx" in body


def test_the_download_is_what_is_shown(console: Client, run: Run):
    answer = console.get(path("import-findings-csv", run, file="classes.csv"))
    assert "attachment" in answer["Content-Disposition"]
    text = b"".join(answer.streaming_content).decode()
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["code"], row["line"], row["value"], row["what to do"]) == (
        "enum", "2", "playground", "Write one of: scheduled.",
    )  # fmt: skip
    told = console.get(path("import-findings-json", run)).json()
    assert [one["total"] for one in told["totals"] if one["code"] == "list-empty-item"] == [150]


def test_a_report_of_before_totals_were_kept_is_still_shown(console: Client, run: Run, settings):
    (Path(settings.DATA_DIR) / f"shelf/{run.district_id}/runs/{run.pk}/findings-totals.json").unlink()
    assert "classes.csv:2" in text_of(console.get(path("import-findings", run)))


def test_an_import_without_findings_says_so(console: Client, district: District):
    run = Run.objects.create(district=district, flow="ingest", outcome="success")
    assert "Nothing was found" in text_of(console.get(path("import-findings", run)))


def test_every_code_has_its_page(console: Client, district: District):
    listed = console.get(reverse("findings", kwargs={"tenant": district.pk})).content.decode()
    for code in CATALOGUE:
        assert kind(district, code) in listed
    for code in ("duplicate", "dates-reversed", "encoding"):
        text = text_of(console.get(kind(district, code)))
        for heading in ("What", "Why it matters", "An example", "What to do", "Who can"):
            assert heading in text
    assert console.get(kind(district, "no-such-code")).status_code == 404


def test_a_warning_is_raised_with_a_reason_and_by_whom(console: Client, district: District):
    address = kind(district, "dates-reversed", "finding-severity")
    refused = console.post(address, {"severity": "error", "why": ""})
    assert refused.status_code == 422
    assert "Say why" in text_of(refused)
    console.post(address, {"severity": "error", "why": "They broke the timetable."})
    assert severities_of(district) == {"dates-reversed": "error"}
    text = text_of(console.get(kind(district, "dates-reversed")))
    assert "set by brandt@riverbend.example" in text
    assert "They broke the timetable." in text
    listed = text_of(console.get(reverse("findings", kwargs={"tenant": district.pk})))
    assert "Decided by this district" in listed


def test_an_error_cannot_be_weighed(console: Client, district: District):
    assert (
        console.post(kind(district, "duplicate", "finding-severity"), {"severity": "note"}).status_code == 404
    )
    assert "What it counts for here" not in text_of(console.get(kind(district, "duplicate")))


def test_the_decision_of_another_district_is_not_told_here(console: Client, district, elsewhere):
    set_severity(elsewhere, "dates-reversed", "error", "ann@cedar.example", "Theirs.")
    assert "Theirs." not in text_of(console.get(kind(district, "dates-reversed")))
