"""A small school as the rows of a package, and the same with changes."""

from collections.abc import Mapping, Sequence

Row = dict[str, str]
Tables = dict[str, list[Row]]


def school() -> Tables:
    """Two schools of a district; at `north` the class `c1` of `t1` with `p1` and `p2`, at `south` `c2` of `t2` with nobody else but `p3`."""
    return {
        "orgs": [
            {"sourcedId": "district", "name": "District", "type": "district"},
            {"sourcedId": "north", "name": "North School", "type": "school", "identifier": "N1", "parentSourcedId": "district"},
            {"sourcedId": "south", "name": "South School", "type": "school", "identifier": "S1", "parentSourcedId": "district"},
        ],
        "academicSessions": [
            {
                "sourcedId": "year", "title": "2026-2027", "type": "schoolYear", "startDate": "2026-08-01", "endDate": "2027-06-30",
                "schoolYear": "2027",
            },
        ],
        "courses": [{"sourcedId": "math", "title": "Mathematics", "courseCode": "MA", "orgSourcedId": "district"}],
        "classes": [_class("c1", "Mathematics 5", "north"), _class("c2", "Mathematics 6", "south")],
        "users": [
            _user("t1", "Tess", "Ames"), _user("t2", "Theo", "Bell"),
            _user("p1", "Pia", "Cole", grades="05"), _user("p2", "Paul", "Dean", grades="05"), _user("p3", "Petra", "Eck", grades="06"),
        ],
        "roles": [
            _role("t1", "teacher", "north"), _role("t2", "teacher", "south"),
            _role("p1", "student", "north"), _role("p2", "student", "north"), _role("p3", "student", "south"),
        ],
        "enrollments": [
            _enrollment("t1", "c1", "north", "teacher"), _enrollment("p1", "c1", "north"), _enrollment("p2", "c1", "north"),
            _enrollment("t2", "c2", "south", "teacher"), _enrollment("p3", "c2", "south"),
        ],
    }  # fmt: skip


def changed(tables: Mapping[str, Sequence[Row]], table: str, source_id: str, **values: str) -> Tables:
    """The same with other values of one record."""
    found = {name: list(rows) for name, rows in tables.items()}
    found[table] = [{**row, **values} if row["sourcedId"] == source_id else row for row in found[table]]
    return found


def without(tables: Mapping[str, Sequence[Row]], *people: str) -> Tables:
    """The same without these people, their roles and their enrollments."""
    return {
        name: [row for row in rows if not {row["sourcedId"], row.get("userSourcedId", "")} & set(people)]
        for name, rows in tables.items()
    }


def _user(source_id: str, given: str, family: str, **values: str) -> Row:
    names = {"givenName": given, "familyName": family, "username": source_id}
    return {
        "sourcedId": source_id,
        "enabledUser": "true",
        "email": f"{source_id}@school.example",
        **names,
        **values,
    }


def _role(person: str, role: str, org: str) -> Row:
    about = {"userSourcedId": person, "roleType": "primary", "role": role, "orgSourcedId": org}
    return {"sourcedId": f"r-{person}-{org}", **about}


def _class(source_id: str, title: str, org: str) -> Row:
    about = {"courseSourcedId": "math", "classType": "scheduled", "schoolSourcedId": org}
    return {"sourcedId": source_id, "title": title, "termSourcedIds": "year", **about}


def _enrollment(person: str, taught: str, org: str, role: str = "student") -> Row:
    about = {"classSourcedId": taught, "schoolSourcedId": org, "userSourcedId": person, "role": role}
    return {"sourcedId": f"e-{person}-{taught}", **about}
