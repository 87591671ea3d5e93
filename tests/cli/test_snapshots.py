"""Plans that are only shown, what they change, snapshots and ways back, as an operator types them, in an installation of their own."""

import csv
import io
import json
import stat
import zipfile
from pathlib import Path

from tests import cast
from tests.installation import Installation


def test_a_plan_is_shown_looked_into_applied_and_taken_back(installation: Installation, tmp_path: Path):
    rollbook = installation.rollbook
    rollbook("district", "add", "Riverbend")
    rollbook("import", "1", str(cast.riverbend_zip(tmp_path / "first.zip")), "--yes")
    edits = {
        "users": {cast.AMARA: {"middleName": "Ngozi"}},
        "demographics": {cast.AMARA: {"sex": "unspecified"}},
    }
    second = cast.riverbend(tmp_path / "second", edits)
    assert "rollbook apply 2" in rollbook("import", "1", str(second), "--preview").stdout
    told = rollbook("changes", "2").stdout
    assert "middleName: - → Ngozi" in told or "→ Ngozi" in told
    assert "users.csv:" in told
    assert "sex: ••• → •••" in told
    [school] = json.loads(rollbook("changes", "2", "--by-school", "--json").stdout)
    assert (school["school"], school["changed"]) == (cast.RIVERBEND_HIGH, 2)
    rows = list(
        csv.DictReader(io.StringIO(rollbook("changes", "2", "--csv", "--collection", "users").stdout))
    )
    assert [(row["sourcedId"], row["after"]) for row in rows] == [(cast.AMARA, "Ngozi")]
    assert "success" in rollbook("apply", "2").stdout
    assert "is no preview" in rollbook("apply", "2", expect=1).stderr
    assert "users              1 changed" in rollbook("undo", "1", "--after", "--preview").stdout
    assert "success" in rollbook("apply", "3").stdout
    assert "nothing changes" in rollbook("import", "1", str(tmp_path / "first"), "--yes").stdout


def test_snapshots_are_listed_taken_out_and_removed(installation: Installation, tmp_path: Path):
    rollbook = installation.rollbook
    rollbook("district", "add", "Riverbend")
    rollbook("import", "1", str(cast.riverbend(tmp_path / "first")), "--yes")
    rollbook(
        "import", "1", str(cast.riverbend(tmp_path / "next", {"users": {cast.AMARA: {"sms": "1"}}})), "--yes"
    )
    listed = json.loads(rollbook("snapshot", "list", "1", "--json").stdout)
    assert [one["snapshot"] for one in listed["snapshots"]] == [2, 1]
    assert listed["totalBytes"] == sum(one["bytes"] for one in listed["snapshots"])
    target = tmp_path / "out.zip"
    rollbook("snapshot", "download", "1", str(target))
    assert "users.csv" in zipfile.ZipFile(target).namelist()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert "still needed" in rollbook("snapshot", "remove", "2", "--yes", expect=1).stderr
    rollbook("snapshot", "remove", "1", "--yes")
    acts = json.loads(rollbook("snapshot", "show", "1", "--json").stdout)["acts"]
    assert [act["act"] for act in acts] == ["download", "remove"]
    assert all("command line" in act["by"] for act in acts)
    assert json.loads(rollbook("snapshot", "keep", "1", "--count", "5", "--json").stdout) == [
        {"snapshots": 5, "days": 90}
    ]
    assert json.loads(rollbook("hold", "days", "1", "3", "--json").stdout) == [{"holdDays": 3}]
    assert "1 to 90 days" in rollbook("hold", "days", "1", "91", expect=1).stderr
