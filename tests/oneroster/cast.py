"""One canonical record of each collection, of Riverbend, with every member that a test of the bindings asks about."""

from typing import Any

Record = dict[str, Any]

TODAY = "2026-10-01"

DISTRICT: Record = {
    "sourcedId": "org-district",
    "name": "Riverbend Unified",
    "type": "district",
    "identifier": "0612345",
    "parentSourcedId": None,
    "children": ["org-middle", "org-high"],
}
HIGH: Record = {
    "sourcedId": "org-high",
    "name": "Riverbend High",
    "type": "school",
    "identifier": None,
    "parentSourcedId": "org-district",
    "children": [],
}
TERM: Record = {
    "sourcedId": "term-1",
    "title": "Term 1",
    "type": "term",
    "startDate": "2026-08-17",
    "endDate": "2026-12-19",
    "parentSourcedId": "session-2027",
    "schoolYear": "2027",
    "children": ["grading-1"],
}
ALGEBRA: Record = {
    "sourcedId": "course-algebra",
    "schoolYearSourcedId": "session-2027",
    "title": "Algebra I",
    "courseCode": None,
    "grades": ["09", "10"],
    "orgSourcedId": "org-high",
    "subjects": ["Mathematics"],
    "subjectCodes": ["02052"],
}
ALGEBRA_1: Record = {
    "sourcedId": "class-algebra-1",
    "title": "Algebra I, first period",
    "grades": ["09"],
    "courseSourcedId": "course-algebra",
    "classCode": "ALG-1",
    "classType": "scheduled",
    "location": "Room 12",
    "schoolSourcedId": "org-high",
    "termSourcedIds": ["term-1", "term-2"],
    "subjects": None,
    "subjectCodes": None,
    "periods": ["1"],
    "metadata": {"wing": "east"},
}
TANAKA: Record = {
    "sourcedId": "staff-008",
    "enabledUser": True,
    "username": "h.tanaka",
    "userIds": ["{LDAP:h.tanaka}", "{SIS:0:8}"],
    "givenName": "Haruka",
    "familyName": "Tanaka",
    "middleName": None,
    "preferredGivenName": "Haru",
    "preferredMiddleName": None,
    "preferredFamilyName": "Tanaka-Reyes",
    "pronouns": "she/her",
    "userMasterIdentifier": "M-8",
    "identifier": "8",
    "email": "h.tanaka@riverbend.example",
    "sms": None,
    "phone": None,
    "agentSourcedIds": [],
    "grades": None,
    "password": "never to be seen",
    "primaryOrgSourcedId": "org-middle",
    "roles": [
        {
            "roleType": "secondary",
            "role": "teacher",
            "orgSourcedId": "org-high",
            "userProfileSourcedId": None,
        },
        {
            "roleType": "primary",
            "role": "siteAdministrator",
            "orgSourcedId": "org-middle",
            "beginDate": "2026-08-01",
            "endDate": "2027-08-01",
            "userProfileSourcedId": "profile-2",
        },
        {
            "roleType": "secondary",
            "role": "teacher",
            "orgSourcedId": "org-middle",
            "userProfileSourcedId": None,
        },
    ],
    "userProfiles": [
        {
            "sourcedId": "profile-2",
            "profileType": "HR",
            "vendorId": "vendor-1",
            "applicationId": None,
            "description": None,
            "credentialType": "SAML",
            "username": "tanaka",
            "password": "never to be seen",
        },
        {
            "sourcedId": "profile-1",
            "profileType": "HR",
            "vendorId": "vendor-1",
            "applicationId": None,
            "description": "Staff portal",
            "credentialType": "LDAP",
            "username": "htanaka",
        },
    ],
}
AMARA: Record = {
    "sourcedId": "student-001",
    "enabledUser": False,
    "username": None,
    "userIds": None,
    "givenName": "Amara",
    "familyName": "Obi",
    "agentSourcedIds": ["guardian-001", "guardian-002"],
    "grades": ["10"],
    "primaryOrgSourcedId": "org-high",
    "roles": [{"roleType": "primary", "role": "student", "orgSourcedId": "org-high"}],
    "userProfiles": [],
}
AMARA_IN_ALGEBRA: Record = {
    "sourcedId": "enrollment-0001",
    "classSourcedId": "class-algebra-1",
    "schoolSourcedId": "org-high",
    "userSourcedId": "student-001",
    "role": "student",
    "primary": None,
    "beginDate": "2026-08-17",
    "endDate": None,
}
SAM: Record = {
    "sourcedId": "student-014",
    "birthDate": "2011-05-30",
    "sex": "other",
    "asian": True,
    "white": False,
    "countryOfBirthCode": "US",
}

ATLAS: Record = {
    "sourcedId": "resource-atlas",
    "vendorResourceId": "atlas/world-history",
    "title": "World History Atlas",
    "roles": ["teacher"],
    "importance": "secondary",
    "vendorId": "atlas.example",
    "applicationId": None,
}

ONE_OF_EACH: dict[str, Record] = {
    "orgs": DISTRICT,
    "academicSessions": TERM,
    "courses": ALGEBRA,
    "classes": ALGEBRA_1,
    "users": TANAKA,
    "enrollments": AMARA_IN_ALGEBRA,
    "demographics": SAM,
    "resources": ATLAS,
}
