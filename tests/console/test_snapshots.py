"""Snapshots and comparing in the console: what is kept, taken out, removed; what a list and the roster have in common."""

import base64
import io
import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rollbook.flows import jobs
from rollbook.flows.ingest import carry_out, prepare
from rollbook.flows.keeping import keeping_of
from rollbook.flows.questions import forget_answers
from rollbook.store import shelf
from rollbook.store.models import Connection, District, Run, SnapshotAct, User
from tests import cast
from tests.connectors.provider import STATIC, Provider, serving
from tests.console.test_dashboard import text_of
from tests.delivered import a_district

pytestmark = pytest.mark.django_db


def bring(district: District, package: Path) -> Run:
    return carry_out(prepare(Connection.objects.get(district=district), package, "a test"))


@pytest.fixture
def district(request: pytest.FixtureRequest) -> District:
    """Empty, unless the test is about what its `first` delivery left."""
    return request.getfixturevalue("riverbend") if "first" in request.fixturenames else a_district()


@pytest.fixture
def first(district: District) -> Run:
    return Run.objects.get(district=district)


def path_of(page: str, district: District, **rest: int) -> str:
    return reverse(page, kwargs={"tenant": district.pk, **rest})


def test_before_the_first_delivery_the_page_says_what_to_do(console: Client, district):
    assert "Nothing was delivered yet" in text_of(console.get(path_of("snapshots", district)))


def test_what_is_kept_is_shown_taken_out_and_removed(
    console: Client, district, first, administrator, tmp_path
):
    bring(district, cast.riverbend(tmp_path / "next", {"users": {cast.AMARA: {"middleName": "Ngozi"}}}))
    text = text_of(console.get(path_of("snapshots", district)))
    assert "2 snapshots" in text
    assert "kept because it is the last one that was applied" in text
    answer = console.post(path_of("snapshot-download", district, snapshot_id=first.snapshot_id))
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert "users.csv" in archive.namelist()
    removed = console.post(path_of("snapshot-remove", district, snapshot_id=first.snapshot_id), follow=True)
    assert "The snapshot is removed" in text_of(removed)
    acts = SnapshotAct.objects.filter(snapshot=first.snapshot).order_by("pk")
    assert [(act.kind, act.by) for act in acts] == [
        ("download", administrator.email),
        ("remove", administrator.email),
    ]
    gone = console.post(path_of("snapshot-download", district, snapshot_id=first.snapshot_id), follow=True)
    assert "no longer kept" in text_of(gone)


def test_the_last_applied_one_cannot_be_removed(console: Client, district, first):
    answer = console.post(path_of("snapshot-remove", district, snapshot_id=first.snapshot_id), follow=True)
    assert "still needed" in text_of(answer)


def test_how_many_are_kept_is_set_in_words_or_refused(console: Client, district):
    given = {"snapshots": "7", "days": "60", "hold_days": "5"}
    assert "The numbers are set" in text_of(console.post(path_of("snapshots", district), given, follow=True))
    keeping = keeping_of(district)
    assert (keeping.snapshots, keeping.days, keeping.hold_days) == (7, 60, 5)
    wrong = console.post(path_of("snapshots", district), {**given, "days": "soon"})
    assert wrong.status_code == 422
    assert keeping_of(district).days == 60


def test_another_districts_snapshot_is_not_there(console: Client, first, elsewhere, district):
    first.snapshot.district = elsewhere
    first.snapshot.save()
    for page in ("snapshot-download", "snapshot-remove"):
        assert console.post(path_of(page, district, snapshot_id=first.snapshot_id)).status_code == 404


# --- Comparing ------------------------------------------------------------------------------------------------------------------------------


def sent(console: Client, district: District, name: str, content: bytes, **fields: str):
    return console.post(path_of("compare", district), {"file": SimpleUploadedFile(name, content), **fields})


def files_of(answer) -> dict[str, str]:
    found = re.findall(
        r'href="data:text/csv;charset=utf-8;base64,([^"]+)" download="([^"]+)"', answer.content.decode()
    )
    return {name: base64.b64decode(text.replace("&#x3D;", "=")).decode() for text, name in found}


def test_a_list_is_compared_and_nothing_of_it_stays(console: Client, district, first):
    mail = User.objects.get(district=district, source_id=cast.AMARA).email.upper()
    answer = sent(
        console, district, "vendor.csv", f"Mail,Name\n{mail},Amara\nx@y.example,Nobody\n".encode(), by="email"
    )
    text = text_of(answer)
    assert "1 in both" in text
    assert "1 only in what you brought" in text
    files = files_of(answer)
    assert "Nobody" in files["people-only-first.csv"]
    assert cast.AMARA in files["people-matched.csv"]
    assert not any((Path(settings.DATA_DIR) / "uploads").iterdir())


def test_a_column_that_is_not_there_is_named_with_those_that_are(console: Client, district, first):
    answer = sent(console, district, "vendor.csv", b"Code,Name\n1,Amara\n", by="email")
    assert answer.status_code == 422
    assert "Code, Name" in text_of(answer)
    assert "No package was sent" in text_of(console.post(path_of("compare", district), {"by": "email"}))


def test_a_package_is_compared_with_what_is_stored(console: Client, district, first, tmp_path):
    package = cast.riverbend_zip(tmp_path / "next.zip", {"users": {cast.AMARA: {"middleName": "Ngozi"}}})
    answer = sent(console, district, "next.zip", package.read_bytes(), connection=str(first.connection_id))
    assert "People 66 in both 1 differ" in re.sub(r"as CSV, \w+ ", "", text_of(answer))
    assert "Ngozi" in files_of(answer)["users-different.csv"]


@pytest.mark.django_db(transaction=True)
def test_what_a_server_says_is_asked_by_a_worker_and_found_for_a_day(console: Client, district, tmp_path):
    package = cast.riverbend_zip(tmp_path / "next.zip", {"users": {cast.AMARA: {"middleName": "Ngozi"}}})
    with serving(Provider(version="1.2")) as provider:
        server = Connection.objects.create(
            district=district, kind="oneroster_rest", name="The SIS", settings=provider.settings,
            secrets=json.dumps({"token": STATIC}),
        )  # fmt: skip
        asked = sent(
            console, district, "next.zip", package.read_bytes(), connection=str(server.pk), side="server"
        )
        assert "Under way" in text_of(console.get(asked.url))
        jobs.work_off()
    answer = console.get(asked.url)
    assert "1 differ" in text_of(answer)
    assert "Ngozi" in files_of(answer)["users-different.csv"]
    run = Run.objects.get(flow="comparison")
    assert not (shelf.run_folder(run) / "brought").exists()
    forget_answers(district.pk, timezone.now() + timedelta(hours=25))
    assert console.get(asked.url).status_code == 404
    assert not Run.objects.filter(flow="comparison").exists()
