"""Plans that are only shown, what they change, snapshots and ways back, as an operator types them, in this process."""

import csv
import io
import json
import stat
import zipfile
from pathlib import Path

import pytest

from rollbook.store.models import Run
from tests import cast
from tests.cli.typed import typed as rollbook

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_plan_is_shown_looked_into_applied_and_taken_back(tmp_path: Path):
    rollbook("district", "add", "Riverbend")
    rollbook("import", "Riverbend", str(cast.riverbend_zip(tmp_path / "first.zip")), "--yes")
    edits = {
        "users": {cast.AMARA: {"middleName": "Ngozi"}},
        "demographics": {cast.AMARA: {"sex": "unspecified"}},
    }
    second = cast.riverbend(tmp_path / "second", edits)
    said = rollbook("import", "Riverbend", str(second), "--preview").stdout
    first, shown = (str(run.pk) for run in Run.objects.order_by("pk"))
    assert f"rollbook apply {shown}" in said
    told = rollbook("changes", shown).stdout
    assert "user is none of orgs" in rollbook("changes", shown, "--collection", "user", expect=2).stderr
    assert "deleted is none of added" in rollbook("changes", shown, "--action", "deleted", expect=2).stderr
    assert "No change of this plan is like that" in rollbook("changes", shown, "--school", "nope").stdout
    assert "middleName: - → Ngozi" in told or "→ Ngozi" in told
    assert "users.csv:" in told
    assert "sex: ••• → •••" in told
    [school] = json.loads(rollbook("changes", shown, "--by-school", "--json").stdout)
    assert (school["school"], school["changed"]) == (cast.RIVERBEND_HIGH, 2)
    rows = list(
        csv.DictReader(io.StringIO(rollbook("changes", shown, "--csv", "--collection", "users").stdout))
    )
    assert [(row["sourcedId"], row["after"]) for row in rows] == [(cast.AMARA, "Ngozi")]
    assert "success" in rollbook("apply", shown).stdout
    assert "is no preview" in rollbook("apply", shown, expect=1).stderr
    assert "people                1 changed" in rollbook("undo", first, "--after", "--preview").stdout
    assert "success" in rollbook("apply", str(Run.objects.latest("pk").pk)).stdout
    assert "nothing changes" in rollbook("import", "Riverbend", str(tmp_path / "first"), "--yes").stdout


def test_snapshots_are_listed_taken_out_and_removed(tmp_path: Path):
    rollbook("district", "add", "Riverbend")
    rollbook("import", "Riverbend", str(cast.riverbend(tmp_path / "first")), "--yes")
    rollbook(
        "import",
        "Riverbend",
        str(cast.riverbend(tmp_path / "next", {"users": {cast.AMARA: {"sms": "1"}}})),
        "--yes",
    )
    listed = json.loads(rollbook("snapshot", "list", "Riverbend", "--json").stdout)
    newer, older = (str(one["snapshot"]) for one in listed["snapshots"])
    assert listed["totalBytes"] == sum(one["bytes"] for one in listed["snapshots"])
    target = tmp_path / "out.zip"
    rollbook("snapshot", "download", older, str(target))
    assert "users.csv" in zipfile.ZipFile(target).namelist()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert "still needed" in rollbook("snapshot", "remove", newer, "--yes", expect=1).stderr
    rollbook("snapshot", "remove", older, "--yes")
    acts = json.loads(rollbook("snapshot", "show", older, "--json").stdout)["acts"]
    assert [act["act"] for act in acts] == ["download", "remove"]
    assert all("command line" in act["by"] for act in acts)
    assert json.loads(rollbook("snapshot", "keep", "Riverbend", "--count", "5", "--json").stdout) == [
        {"snapshots": 5, "days": 90}
    ]
    assert json.loads(rollbook("hold", "days", "Riverbend", "3", "--json").stdout) == [{"holdDays": 3}]
    assert "1 to 90 days" in rollbook("hold", "days", "Riverbend", "91", expect=1).stderr
