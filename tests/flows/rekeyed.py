"""A district whose student information system gave every person a new sourcedId overnight."""

import csv
from collections.abc import Callable
from pathlib import Path

PERSON = {
    "users.csv": ("sourcedId", "agentSourcedIds"),
    "roles.csv": ("userSourcedId",),
    "userProfiles.csv": ("userSourcedId",),
    "enrollments.csv": ("userSourcedId",),
    "demographics.csv": ("sourcedId",),
}
OWN = {"roles.csv", "userProfiles.csv", "enrollments.csv"}


def rekey(package: Path, target: Path, which: Callable[[str], bool] = lambda _: True) -> Path:
    """Copies a folder of CSVs; people for whom `which` says so get another id, everywhere they are named, and so do the rows that join them."""
    target.mkdir()
    for file in package.glob("*.csv"):
        with file.open(encoding="utf-8-sig", newline="") as source:
            rows = list(csv.reader(source))
        header = rows[0]
        places = [header.index(column) for column in PERSON.get(file.name, ()) if column in header]
        for row in rows[1:]:
            renamed = False
            for place in places:
                ids = [f"sis2-{one}" if one and which(one) else one for one in row[place].split(",")]
                renamed |= ",".join(ids) != row[place]
                row[place] = ",".join(ids)
            if renamed and file.name in OWN:
                row[0] = f"sis2-{row[0]}"
            if renamed and file.name == "roles.csv" and row[profile := header.index("userProfileSourcedId")]:
                row[profile] = f"sis2-{row[profile]}"
        with (target / file.name).open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows(rows)
    return target
