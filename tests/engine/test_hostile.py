"""Packages that mean harm or are simply broken: a finding or a refusal, never a traceback, never an exhausted machine."""

import io
import os
import resource
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rollbook.engine.findings import LISTED, SHOWN, Findings
from rollbook.engine.judgement import judge
from rollbook.engine.package import Limits, NotAPackage, open_package
from tests.engine.packages import judged, orgs, write_package

MIB = 1 << 20


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return write_package(tmp_path / "package", {"orgs": orgs("org-1", "org-2")})


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], source: Path | None = None) -> Path:
    """A zip of `source`'s files and more entries."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(source.iterdir()) if source else ():
            archive.write(file, file.name)
        for name, content in entries:
            archive.writestr(name, content)
    return path


def refused(path: Path, work: Path, **limits: int) -> str:
    """The words with which a package is refused."""
    with pytest.raises(NotAPackage) as refusal:
        open_package(path, work, Findings(True), Limits(**limits))
    return refusal.value.words


def replaced(package: Path, old: bytes, new: bytes) -> Path:
    file = package / "orgs.csv"
    file.write_bytes(file.read_bytes().replace(old, new))
    return package


def codes(findings: Findings) -> list[str]:
    return [code.code for code, *_ in findings.by_code()]


def test_a_zip_is_judged_as_the_folder_it_was_made_of(package: Path, tmp_path: Path):
    assert list(judged(zipped(tmp_path / "p.zip", source=package), tmp_path)) == []


@pytest.mark.parametrize(
    "name", ["../users.csv", "/etc/users.csv", "a/../../users.csv", "..\\users.csv", "C:/users.csv"]
)
def test_a_path_that_leads_outside_is_refused(name: str, package: Path, tmp_path: Path):
    work = tmp_path / "work"
    work.mkdir()
    assert "leads outside" in refused(zipped(tmp_path / "p.zip", (name, b"x"), source=package), work)
    assert list(work.iterdir()) == []
    assert not (tmp_path / "users.csv").exists()


def test_symbolic_links_are_refused_in_zips_and_folders(package: Path, tmp_path: Path):
    link = zipfile.ZipInfo("users.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "symbolic link" in refused(zipped(tmp_path / "p.zip", (link, b"/etc/passwd")), tmp_path)
    os.symlink("/etc/passwd", package / "users.csv")
    assert "symbolic link" in refused(package, tmp_path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path):
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("manifest.csv", "propertyName,value\r\n")
        with archive.open("users.csv", "w", force_zip64=True) as file:
            for _ in range(600):
                file.write(b"0" * MIB)
    script = (
        "import sys, pathlib\n"
        "from rollbook.engine.judgement import judge\n"
        "from rollbook.engine.package import NotAPackage\n"
        "try:\n"
        "    judge(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), lenient=True, accepted=None)\n"
        "except NotAPackage as refusal:\n"
        "    print(refusal.words)\n"
        # Not ru_maxrss: a process begins with that of the one that started it.
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(status.split('VmHWM:')[1].split()[0])\n"
    )
    work = tmp_path / "work"
    work.mkdir()
    answer = subprocess.run(
        [sys.executable, "-c", script, str(bomb), str(work)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "far beyond what its size lets expect" in answer[0]
    assert int(answer[1]) < 200 * 1024  # KiB
    assert sum(path.stat().st_size for path in work.rglob("*")) < 200 * MIB


def test_limits_of_entries_and_bytes_are_kept(package: Path, tmp_path: Path):
    crowd = [(f"file-{number}.csv", b"") for number in range(20)]
    assert "20" in refused(zipped(tmp_path / "p.zip", *crowd), tmp_path, entries=10)
    for number in range(20):
        (package / f"file-{number}.csv").touch()
    assert "more than 10 files" in refused(package, tmp_path, entries=10)
    assert "unpacks to more" in refused(
        zipped(tmp_path / "q.zip", ("users.csv", b"x" * 10_000)), tmp_path, size=5_000
    )


def test_an_encrypted_zip_is_refused(package: Path, tmp_path: Path):
    path = zipped(tmp_path / "p.zip", source=package)
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(signature, at + 4)
    path.write_bytes(content)
    assert "encrypted" in refused(path, tmp_path)


def test_a_damaged_zip_is_refused(package: Path, tmp_path: Path):
    path = zipped(tmp_path / "p.zip", source=package)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "not a zip" in refused(path, tmp_path)
    middle = whole.find(b"orgs.csv") + 20
    path.write_bytes(whole[:middle] + bytes(40) + whole[middle + 40 :])
    assert "damaged" in refused(path, tmp_path)


def test_a_package_is_called_as_somebody_named_it_and_never_as_it_is_kept(package: Path, tmp_path: Path):
    kept, uploaded = "199f11a5cf30422baf059f9897cd82ee", "tmp47kpf_h1"
    whole = zipped(tmp_path / "p.zip", source=package).read_bytes()
    middle = whole.find(b"orgs.csv") + 20
    damaged = whole[:middle] + bytes(40) + whole[middle + 40 :]
    for suffix, content in ((".zip", b"junk"), (".zip", b""), (".zip", damaged), (".csv", b"a,b\n")):
        for name in ("nightly", kept, uploaded):
            path = tmp_path / f"{name}{suffix}"
            path.write_bytes(content)
            assert (path.name in refused(path, tmp_path)) is (name == "nightly")


def test_what_is_no_package_at_all_is_refused_with_a_hint(package: Path, tmp_path: Path):
    assert "nothing at" in refused(tmp_path / "missing", tmp_path)
    assert "single CSV file" in refused(package / "orgs.csv", tmp_path)
    (tmp_path / "none").mkdir()
    assert "no files" in refused(tmp_path / "none", tmp_path)
    (tmp_path / "letter.txt").write_text("Dear office")
    assert "not a zip" in refused(tmp_path / "letter.txt", tmp_path)
    inner = zipped(tmp_path / "inner.zip", source=package)
    assert "zip instead of CSV" in refused(
        zipped(tmp_path / "o.zip", ("inner.zip", inner.read_bytes())), tmp_path
    )
    assert "None of its files" in refused(zipped(tmp_path / "x.zip", ("photo.jpg", b"x")), tmp_path)
    (tmp_path / "nothing.zip").touch()
    assert "empty" in refused(tmp_path / "nothing.zip", tmp_path)


def test_other_formats_are_named(tmp_path: Path):
    sds = tmp_path / "sds"
    sds.mkdir()
    (sds / "users.csv").write_text(
        "sourcedId,username,givenName,familyName,password,activeDirectoryMatchId,email,phone,sms\n"
    )
    (sds / "orgs.csv").write_text("sourcedId,name,type,parentSourcedId\n")
    assert "School Data Sync" in refused(sds, tmp_path)
    clever = tmp_path / "clever"
    clever.mkdir()
    for name in ("schools", "students", "teachers", "sections", "enrollments"):
        (clever / f"{name}.csv").write_text("School_id\n")
    assert "Clever" in refused(clever, tmp_path)


def test_a_field_of_many_megabytes_is_a_finding_and_costs_no_memory(package: Path, tmp_path: Path):
    with (package / "orgs.csv").open("ab") as file:
        file.write(b'org-3,,,"')
        for _ in range(64):
            file.write(b"x" * MIB)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    findings = judged(package, tmp_path)
    assert codes(findings) == ["csv-long"]
    assert [one.source_id for one in findings] == ["org-3"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024


def test_a_quote_that_is_never_closed_costs_its_line_alone(package: Path, tmp_path: Path):
    findings = judged(replaced(package, b"Org org-1", b'"Org org-1'), tmp_path)
    assert [(one.code, one.line, one.source_id) for one in findings] == [("csv-quote", 2, "org-1")]


def test_a_nul_is_a_finding(package: Path, tmp_path: Path):
    assert codes(judged(replaced(package, b"Org org-1", b"Org\0org-1"), tmp_path)) == ["csv-nul"]


def test_a_line_with_bytes_that_are_nothing_in_windows_1252_makes_the_file_unreadable(
    package: Path, tmp_path: Path
):
    findings = judged(replaced(package, b"Org org-2", b"Org \x81\x8d"), tmp_path, lenient=True)
    assert [(one.code, one.line) for one in findings] == [("encoding-unreadable", 3)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"\n\n\n",
        b'"',
        b",",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"sourcedId",
        bytes(range(256)),
        b'"a\nb",c\n1,2\n',
        os.urandom(5000),
    ],
)
@pytest.mark.parametrize("name", ["orgs.csv", "manifest.csv"])
def test_any_content_ends_in_findings(content: bytes, name: str, package: Path, tmp_path: Path):
    (package / name).write_bytes(content)
    for number, lenient in enumerate((False, True)):
        work = tmp_path / f"work-{number}"
        work.mkdir()
        assert judged(package, work, lenient).failed


def test_column_names_cannot_get_into_the_query(package: Path, tmp_path: Path):
    wicked = "metadata.\"; DROP TABLE s_orgs; --,metadata.A,metadata.a,metadata.it's"
    header, *rows = (package / "orgs.csv").read_text().splitlines()
    lines = [f"{header},{wicked.replace(chr(34), chr(34) * 2)}", *(f"{row},1,2,3,4" for row in rows)]
    lines[0] = f'{header},"metadata.""; DROP TABLE s_orgs; --",metadata.A,metadata.a,metadata.it\'s'
    (package / "orgs.csv").write_text("\r\n".join(lines) + "\r\n")
    assert list(judged(package, tmp_path)) == []


def test_floods_are_counted_and_capped(tmp_path: Path):
    package = write_package(
        tmp_path / "package", {"orgs": orgs(*(f"bad id {number}" for number in range(2_500)))}
    )
    findings = judged(package, tmp_path)
    assert findings.totals["guid", "orgs.csv"] == 2_500
    assert findings.counts()["error"] == 2_500
    listed = [one for one in findings if one.code == "guid"]
    assert len(listed) == LISTED + 1
    assert listed[-1].message == "2,400 more of the same are not listed."
    assert listed[-1].count == 2_400


def test_values_are_cut_and_cleaned_and_passwords_never_shown(tmp_path: Path):
    user = {"sourcedId": "u", "enabledUser": "x" * 500, "username": "u", "givenName": "A", "familyName": "B"}
    findings = judged(write_package(tmp_path / "package", {"users": [user]}), tmp_path)
    (one,) = findings
    assert len(one.value) == SHOWN + 1
    findings.add("required", "users.csv", 2, "password", "hunter2")
    findings.add("required", "users.csv", 2, "email", "a\x1b[31mb")
    assert [found.value for found in findings][-2:] == ["", "a\N{REPLACEMENT CHARACTER}[31mb"]


def test_a_work_folder_may_hold_a_quote_in_its_name(tmp_path: Path):
    folder = tmp_path / "it's a 'place'"
    folder.mkdir()
    package = write_package(folder / "package", {"orgs": orgs("org-1")})
    with judge(package, folder, lenient=True, accepted=None) as judgement:
        assert judgement.counts["error"] == 0


def test_a_zip_of_one_folder_is_read_as_an_import(package: Path, tmp_path: Path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in package.iterdir():
            archive.write(file, f"district/{file.name}")
            archive.writestr(f"__MACOSX/district/._{file.name}", b"x")
    (tmp_path / "p.zip").write_bytes(buffer.getvalue())
    findings = judged(tmp_path / "p.zip", tmp_path, lenient=True)
    assert not findings.failed
    assert codes(findings) == ["enclosing-folder", "stray-file"]


def test_what_is_in_a_damaged_zip_is_not_told(package: Path, tmp_path: Path):
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, text in (
            ("orgs.csv", "sourcedId\n"),
            ("users.csv", "sourcedId,familyName\nu1,Secretname\n"),
        ):
            archive.writestr(name, text)
    content = bytearray(path.read_bytes())
    header = content.find(b"users.csv") - 30
    content[header + 26 : header + 28] = (40).to_bytes(2, "little")
    path.write_bytes(content)
    words = refused(path, tmp_path)
    assert "damaged" in words
    assert "Secretname" not in words
    assert "familyName" not in words
