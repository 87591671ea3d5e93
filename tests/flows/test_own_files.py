"""An app's own files: changed one at a time, shown before they are sent, and never naming what the app does not see."""

import csv
import zipfile
from dataclasses import replace

import pytest

from rollbook.engine.scope import Rule, Treatment
from rollbook.engine.tailoring import BadTemplate, parse
from rollbook.flows import deliveries, exports, own_files, samples
from rollbook.flows.deliveries import DOWNLOAD
from rollbook.flows.handing_over import walk
from rollbook.flows.publish import set_rule
from rollbook.store.models import District, Export, Grant
from rollbook.store.visibility import basic
from tests import cast
from tests.delivered import a_district, a_grant

pytestmark = pytest.mark.django_db

PICKUP = {"login": "reading-app", "password": "correct horse battery"}
PUPILS = "pupils.csv from users\nNumber = sourcedId\nFirst name = givenName"
OWN = """
    pupils.csv from roles
    keep role is student
    keep orgSourcedId.name contains High
    Number = userSourcedId
    First name = userSourcedId.givenName
    School = orgSourcedId.name

    seats.csv from enrollments
    keep classSourcedId.courseSourcedId.title contains a
    Course = classSourcedId.courseSourcedId.title
    District = schoolSourcedId.parentSourcedId.name
    Who = userSourcedId.familyName
    Home = userSourcedId.primaryOrgSourcedId.name

    places.csv from orgs
    Name = name
    Under = parentSourcedId.name

    sexes.csv from demographics
    keep sex is not
    Who = sourcedId.familyName
    Sex = sex
"""


@pytest.fixture
def district(riverbend: District) -> District:
    return riverbend


@pytest.fixture
def grant(district: District) -> Grant:
    grant = a_grant(district)
    Grant.objects.filter(pk=grant.pk).update(enabled=True)
    grant.refresh_from_db()
    return grant


@pytest.fixture
def export(grant: Grant) -> Export:
    return exports.set_export(grant, "pickup", PICKUP, "Helen")


def delivered(grant: Grant, template: str, version: str) -> dict[str, list[list[str]]]:
    made = walk(deliveries.ask(grant, DOWNLOAD, "Helen", template=template, version=version).pk)
    assert made is not None
    assert made.outcome == "success", made.reason
    with zipfile.ZipFile(deliveries.kept_package(made)) as archive:
        return {
            name: list(csv.reader(archive.read(name).decode().splitlines())) for name in archive.namelist()
        }


@pytest.mark.parametrize("is_part", [False, True], ids=["everything", "a school, people by other names"])
def test_what_is_shown_is_what_is_delivered(grant, district, monkeypatch, is_part):
    if is_part:
        fields = (("users", "givenName", Treatment.MASK), ("users", "sourcedId", Treatment.PSEUDONYMISE))
        set_rule(grant, replace(basic(district.pk, [cast.RIVERBEND_HIGH]), fields=fields), "a test")
        grant.refresh_from_db()
    monkeypatch.setattr(samples, "BATCHES", (3, 5, 10_000))
    made = delivered(grant, OWN, "1.2")
    for tailored in parse(OWN, "1.2"):
        shown = samples.sample(grant, tailored, "1.2", most=12)
        titles, *rows = made[tailored.file]
        assert list(shown.titles) == titles
        assert [list(row) for row in shown.rows] == rows[:12], tailored.file
        assert rows


def test_one_file_is_changed_and_the_others_stay(export):
    first = own_files.keep_file(export, None, parse(PUPILS, "1.2")[0], own_files.mark_of(export), "Helen")
    seats = parse("seats.csv from enrollments\nkeep role is student\nWho = userSourcedId", "1.2")[0]
    both = own_files.keep_file(first, None, seats, own_files.mark_of(first), "Helen")
    assert own_files.files_of(both) == (*parse(PUPILS, "1.2"), seats)
    [renamed] = parse(PUPILS.replace("pupils.csv", "Children.csv"), "1.2")
    [taken] = parse(PUPILS.replace("pupils.csv", "SEATS.csv"), "1.2")
    with pytest.raises(own_files.NameTaken):
        own_files.keep_file(both, 0, taken, own_files.mark_of(both), "Helen")
    changed = own_files.keep_file(both, 0, renamed, own_files.mark_of(both), "Helen")
    assert [one.file for one in own_files.files_of(changed)] == ["Children.csv", "seats.csv"]
    last = own_files.drop_file(changed, 0, own_files.mark_of(changed), "Helen")
    assert own_files.files_of(last) == (seats,)
    assert own_files.drop_file(last, 0, own_files.mark_of(last), "Helen").template == ""


def test_who_has_seen_other_files_changes_nothing(export):
    seen = own_files.mark_of(export)
    kept = own_files.keep_text(export, PUPILS, seen, "Helen")
    for change in (
        lambda: own_files.keep_text(kept, "a.csv from users\nA = email", seen, "Sam"),
        lambda: own_files.drop_file(kept, 0, seen, "Sam"),
        lambda: own_files.keep_file(kept, 0, parse(PUPILS, "1.2")[0], seen, "Sam"),
    ):
        with pytest.raises(own_files.FilesMoved):
            change()
    assert Export.objects.get(pk=export.pk).template == PUPILS


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Mail = email", "keep back email of users.csv"),
        ("House = metadata.house", "keep back metadata.house"),
        ("School = primaryOrgSourcedId.name", "keep back primaryOrgSourcedId"),
        ("keep sms is 1\nId = sourcedId", "keep back sms"),
        ("Id = sourcedId\nsexes.csv from demographics\nSex = sex", "have no demographics.csv"),
        ("Id = sourcedId\nlinks.csv from userResources\nId = sourcedId", "have no userResources.csv"),
        ("Id = sourcedId\nmarks.csv from results\nMark = score", "have no results.csv"),
    ],
)
def test_what_the_app_does_not_see_cannot_be_named(grant, district, line, words):
    omitted = ("email", "metadata.house", "primaryOrgSourcedId", "sms")
    rule = basic(district.pk, [cast.RIVERBEND_HIGH], demographics=False, resources=False)
    set_rule(
        grant, replace(rule, fields=tuple(("users", name, Treatment.OMIT) for name in omitted)), "a test"
    )
    grant.refresh_from_db()
    template = f"people.csv from users\n{line}"
    with pytest.raises(BadTemplate) as refused:
        exports.set_export(grant, "pickup", PICKUP | {"template": template}, "Helen")
    assert words in refused.value.words
    assert not Export.objects.filter(grant=grant).exists()
    with pytest.raises(BadTemplate):
        deliveries.ask(grant, DOWNLOAD, "Helen", template=template)


def test_what_is_kept_back_later_is_an_empty_column_until_the_files_are_changed(grant, district):
    exports.set_export(grant, "pickup", PICKUP | {"template": "p.csv from users\nMail = email"}, "Helen")
    rule = basic(district.pk, [cast.RIVERBEND_HIGH])
    set_rule(grant, replace(rule, fields=(("users", "email", Treatment.OMIT),)), "a test")
    grant.refresh_from_db()
    export = exports.set_export(grant, "pickup", {"times": "03:00"}, "Helen")
    shown = samples.sample(grant, own_files.files_of(export)[0], export.version)
    assert set(shown.rows) == {("",)}
    with pytest.raises(BadTemplate):
        own_files.keep_text(export, "q.csv from users\nMail = email", own_files.mark_of(export), "Helen")


def test_an_app_that_sees_nothing_is_offered_nothing(grant):
    set_rule(grant, Rule(), "a test")
    grant.refresh_from_db()
    assert own_files.held_by(grant, "1.2").columns == {}
    with pytest.raises(BadTemplate, check=lambda refusal: "no file at all" in refusal.words):
        exports.set_export(grant, "pickup", PICKUP | {"template": PUPILS}, "Helen")


def test_where_nothing_is_served_there_is_nothing_to_show(db):
    with pytest.raises(samples.NothingServed):
        samples.sample(a_grant(a_district()), parse(PUPILS, "1.2")[0], "1.2")
