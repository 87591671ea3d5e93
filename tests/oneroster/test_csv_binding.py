"""Packages written and manifests read, with the standard library's csv module as the second opinion."""

import csv
import io
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.oneroster.csv_binding import (
    BadManifest,
    Manifest,
    Supply,
    into_folder,
    into_zip,
    manifest_rows,
    parsed,
    read_manifest,
    read_manifest_leniently,
    write_package,
    write_table,
    written,
)
from rollbook.oneroster.mapping import user_v1p1
from rollbook.oneroster.tables import BINDINGS, V1P1, V1P2
from tests.oneroster.cast import ALGEBRA_1, AMARA_IN_ALGEBRA, DISTRICT, HIGH, TANAKA, TODAY
from tests.oneroster.plain_csv import read_folder, read_zip

SYSTEM = ("Riverbend SIS", "riverbend-01")


def manifest_text(version: str = "1.2", **changes: str | None) -> str:
    """A manifest by the letter, with properties changed, added, or left out (None)."""
    manifest = Manifest(version, dict.fromkeys((t.name for t in BINDINGS[version].tables), "absent"))
    properties: dict[str, str | None] = dict(list(manifest_rows(manifest))[1:])
    properties |= {name.replace("__", "."): value for name, value in changes.items()}
    lines = [f"{name},{value}" for name, value in properties.items() if value is not None]
    return "\r\n".join(["propertyName,value", *lines, ""])


# --- Writing --------------------------------------------------------------------------------------------------------------------------


def test_a_bulk_package_is_a_manifest_and_its_files(tmp_path: Path):
    orgs = Supply([{**DISTRICT, "status": "active", "dateLastModified": "2026-10-01T00:00:00.000Z"}, HIGH])
    manifest = write_package(into_folder(tmp_path), "1.2", {"orgs": orgs}, SYSTEM)
    assert {path.name for path in tmp_path.iterdir()} == {"manifest.csv", "orgs.csv"}
    assert (tmp_path / "orgs.csv").read_bytes() == (
        b"sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\r\n"
        b"org-district,,,Riverbend Unified,district,0612345,\r\n"
        b"org-high,,,Riverbend High,school,,org-district\r\n"
    )
    assert manifest.supplied == ("orgs",)
    assert read_manifest((tmp_path / "manifest.csv").read_text(encoding="utf-8")) == manifest


def test_the_manifest_names_every_file_of_its_version(tmp_path: Path):
    write_package(into_folder(tmp_path), "1.1", {"orgs": Supply([HIGH])}, SYSTEM)
    rows = read_folder(tmp_path)["manifest"]
    assert len(rows) == 2 + 13 + 2
    assert {row["propertyName"]: row["value"] for row in rows if row["value"] != "absent"} == {
        "manifest.version": "1.0",
        "oneroster.version": "1.1",
        "file.orgs": "bulk",
        "source.systemName": "Riverbend SIS",
        "source.systemCode": "riverbend-01",
    }


def test_a_table_without_rows_gets_no_file_and_is_absent(tmp_path: Path):
    manifest = write_package(into_folder(tmp_path), "1.2", {"orgs": Supply([HIGH]), "users": Supply([])})
    assert not (tmp_path / "users.csv").exists()
    assert (manifest.modes["users"], manifest.modes["orgs"]) == ("absent", "bulk")


def test_a_delta_says_status_and_date_and_a_bulk_does_not(tmp_path: Path):
    gone = {**HIGH, "status": "tobedeleted", "dateLastModified": "2026-10-01T00:00:00.000Z"}
    write_package(into_folder(tmp_path), "1.2", {"orgs": Supply([gone], mode="delta")})
    assert read_folder(tmp_path)["orgs"][0]["status"] == "tobedeleted"
    assert read_folder(tmp_path)["orgs"][0]["dateLastModified"] == "2026-10-01T00:00:00.000Z"


def test_a_bulk_leaves_out_what_is_to_be_deleted(tmp_path: Path):
    gone = {**HIGH, "status": "tobedeleted"}
    write_package(into_folder(tmp_path), "1.2", {"orgs": Supply([gone, DISTRICT])})
    assert [row["sourcedId"] for row in read_folder(tmp_path)["orgs"]] == ["org-district"]


def test_lists_and_booleans_are_written_as_the_standard_writes_them(tmp_path: Path):
    write_package(into_folder(tmp_path), "1.2", {"classes": Supply([ALGEBRA_1], metadata=("wing",))})
    text = (tmp_path / "classes.csv").read_text(encoding="utf-8").splitlines()
    assert text[0].endswith(",subjectCodes,periods,metadata.wing")
    assert '"term-1,term-2"' in text[1]
    assert text[1].endswith(",1,east")


def test_a_user_of_1_1_has_a_role_and_orgs(tmp_path: Path):
    person = user_v1p1(TANAKA, TODAY)
    write_package(into_folder(tmp_path), "1.1", {"users": Supply([person], metadata=("pronouns",))})
    (row,) = read_folder(tmp_path)["users"]
    assert (row["enabledUser"], row["role"], row["orgSourcedIds"]) == (
        "true",
        "administrator",
        "org-middle,org-high",
    )
    assert (row["userIds"], row["metadata.pronouns"]) == ("{LDAP:h.tanaka},{SIS:0:8}", "she/her")


def test_rows_are_streamed_one_at_a_time(tmp_path: Path):
    taken = []

    def rows() -> Any:
        for number in range(1000):
            taken.append(number)
            yield {**AMARA_IN_ALGEBRA, "sourcedId": f"e-{number}"}

    supply = Supply(rows())
    assert not taken
    assert write_table(into_folder(tmp_path), V1P2.table("enrollments"), supply) == 1000


def test_a_zip_has_its_files_at_the_root_and_is_the_same_bytes_again(tmp_path: Path):
    def write(path: Path) -> bytes:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            write_package(into_zip(package), "1.2", {"orgs": Supply([DISTRICT, HIGH])}, SYSTEM)
        return path.read_bytes()

    assert write(tmp_path / "first.zip") == write(tmp_path / "second.zip")
    assert [row["sourcedId"] for row in read_zip(tmp_path / "first.zip")["orgs"]] == [
        "org-district",
        "org-high",
    ]


def test_a_table_the_version_does_not_have_cannot_be_written(tmp_path: Path):
    with pytest.raises(ValueError, match=r"1\.1 has no roles"):
        write_package(into_folder(tmp_path), "1.1", {"roles": Supply([])})


# --- Values, there and back -----------------------------------------------------------------------------------------------------------

lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), max_size=20)
items = st.lists(lines.filter(lambda text: text and "," not in text), min_size=1, max_size=3) | st.none()
classes = st.fixed_dictionaries(
    {
        "sourcedId": lines.filter(bool),
        "title": lines.map(lambda text: text or None),
        "location": lines.map(lambda text: text or None),
        "termSourcedIds": items,
        "periods": items,
    }
)


@given(st.lists(classes, min_size=1, max_size=5))
def test_what_is_written_is_read_back_equal(records: list[dict[str, Any]]):
    file = io.StringIO(newline="")
    file.close = lambda: None  # type: ignore[method-assign]  # so that the text is still there behind the with
    write_table(lambda name: file, V1P2.table("classes"), Supply(records))
    reader = csv.reader(io.StringIO(file.getvalue(), newline=""), strict=True)
    fields = V1P2.table("classes").fields
    assert next(reader) == [field.name for field in fields]
    read = [
        {field.name: parsed(field, text) for field, text in zip(fields, row, strict=True)} for row in reader
    ]
    assert [{name: row[name] for name in records[0]} for row in read] == records


@given(lines)
def test_every_line_of_a_file_ends_with_crlf_and_has_no_other_line_end(text: str):
    file = io.StringIO(newline="")
    file.close = lambda: None  # type: ignore[method-assign]  # so that the text is still there behind the with
    write_table(
        lambda name: file,
        V1P1.table("categories"),
        Supply([{"sourcedId": "c", "title": f"{text}\r\n\n{text}"}]),
    )
    assert file.getvalue().endswith("\r\n")
    assert file.getvalue().count("\n") == file.getvalue().count("\r") == 2


def test_values_are_read_as_their_column_says():
    users = V1P2.table("users")
    assert parsed(users.field("enabledUser"), "true") is True
    assert parsed(users.field("enabledUser"), "false") is False
    assert parsed(users.field("grades"), "09,10") == ["09", "10"]
    assert parsed(users.field("userIds"), "{LDAP:a,b},{SIS:8}") == ["{LDAP:a,b}", "{SIS:8}"]
    assert parsed(users.field("middleName"), "") is None
    assert parsed(users.field("grades"), "") is None


@pytest.mark.parametrize("text", ["True", "TRUE", "1", "yes", " true"])
def test_a_boolean_is_true_or_false_and_nothing_else(text: str):
    with pytest.raises(ValueError, match=text):
        parsed(V1P2.table("users").field("enabledUser"), text)


def test_values_are_written_as_text():
    assert [written(value) for value in (None, True, False, "a", ["a", "b"], [])] == [
        "",
        "true",
        "false",
        "a",
        "a,b",
        "",
    ]


# --- Manifests ------------------------------------------------------------------------------------------------------------------------


def test_a_manifest_by_the_letter_is_read():
    manifest = read_manifest(manifest_text(file__orgs="bulk", file__users="delta", source__systemName="SIS"))
    assert (manifest.version, manifest.supplied) == ("1.2", ("orgs", "users"))
    assert (manifest.modes["users"], manifest.system_name, manifest.system_code) == ("delta", "SIS", None)


def test_a_byte_order_mark_and_bare_line_feeds_are_no_fault():
    text = "\ufeff" + manifest_text("1.1", file__orgs="bulk").replace("\r\n", "\n")
    assert read_manifest(text).supplied == ("orgs",)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "the first line is not propertyName,value"),
        (manifest_text().replace("propertyName", "PropertyName"), 1, "the first line is not"),
        (manifest_text(file__orgs=None), 0, "file.orgs is missing"),
        (manifest_text(oneroster__version="1.3"), 3, "oneroster.version is '1.3', not one of 1.1, 1.2"),
        (manifest_text(oneroster__version=None), 0, "oneroster.version is missing"),
        (manifest_text(manifest__version="2.0"), 2, "manifest.version is '2.0'"),
        (
            manifest_text(file__academicSessions="Bulk"),
            4,
            "file.academicSessions is 'Bulk', not one of absent",
        ),
        (manifest_text(file__systemName="SIS"), 25, "there is no property file.systemName in 1.2"),
        (manifest_text("1.1", file__roles="bulk"), 17, "there is no property file.roles in 1.1"),
        (manifest_text() + "file.orgs,bulk\r\n", 25, "file.orgs stands here a second time"),
        (manifest_text() + "file.orgs\r\n", 25, "a line has 2 fields, this one 1"),
        (manifest_text() + '"file.orgs,bulk\r\n', 25, "this is not CSV"),
    ],
)
def test_a_manifest_that_departs_from_the_letter_is_refused_with_its_line(text: str, line: int, reason: str):
    with pytest.raises(BadManifest, match=reason) as refusal:
        read_manifest(text)
    assert refusal.value.line == line


def test_a_manifest_is_read_leniently_as_it_was_meant():
    lines = ["PropertyName, Value", "oneroster.version, 1.2", "FILE.orgs, Bulk"]
    lines += ["file.classresources,delta", "file.systemName,SIS"]
    manifest = read_manifest_leniently("\ufeff" + "\n".join(lines))
    assert (manifest.version, manifest.supplied) == ("1.2", ("classResources", "orgs"))
    assert manifest.modes["users"] == "absent"


def test_without_a_version_the_files_named_tell_it():
    assert read_manifest_leniently("file.orgs,bulk\nfile.roles,bulk\n").version == "1.2"
    assert read_manifest_leniently("file.orgs,bulk\nfile.users,bulk\n").version == "1.1"


def test_leniently_too_there_is_no_version_1_0_and_no_mode_full():
    with pytest.raises(BadManifest, match=r"'1\.0'"):
        read_manifest_leniently("oneroster.version,1.0\n")
    with pytest.raises(BadManifest, match="'full'"):
        read_manifest_leniently("oneroster.version,1.1\nfile.orgs,full\n")


@given(st.text())
def test_any_text_is_a_manifest_or_refused(text: str):
    for read in (read_manifest, read_manifest_leniently):
        with suppress(BadManifest):
            assert read(text).version in BINDINGS


def test_a_field_too_long_for_csv_is_refused_both_ways():
    for read in (read_manifest, read_manifest_leniently):
        with pytest.raises(BadManifest, match="this is not CSV"):
            read("propertyName,value\r\nsource.systemName," + "x" * 200_000)


@given(st.dictionaries(st.sampled_from([t.name for t in V1P2.tables]), st.sampled_from(["bulk", "delta"])))
def test_every_manifest_written_is_read_back_both_ways(modes: dict[str, str]):
    every = {table.name: modes.get(table.name, "absent") for table in V1P2.tables}
    manifest = Manifest("1.2", every, *SYSTEM)
    text = "".join(f"{name},{value}\r\n" for name, value in manifest_rows(manifest))
    assert read_manifest(text) == read_manifest_leniently(text) == manifest
