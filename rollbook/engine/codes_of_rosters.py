"""The codes of what no rule of the standard forbids and the field knows to go wrong: in values, among records, since the last delivery."""

from rollbook.engine.codes import Code

ROSTER_CODES = (
    # Values
    Code(
        "email-form", "warning", "Not an e-mail address",
        "The value is not one name, an @ and a domain. It is kept as it is.",
        "Write one whole address, or leave the field empty.",
        "`ana.reyes.riverbend.example`",
        why="Apps that send mail to it or sign people in by it fail for this person alone, and nobody sees why.", who="either",
    ),
    Code(
        "email-domain", "warning", "An e-mail address outside the district's domains",
        "The district has said in which domains the addresses of its students and staff are, and this one is in none of them, nor below"
        " one. Guardians, parents and relatives have addresses of their own and are not judged.",
        "Correct the address, or add the domain to the district's.",
        "`ana@mail.example` where the district has riverbend.example",
        why="Sign-in by e-mail gives the account to whoever owns that address; a typing error gives it to a stranger.", who="either",
    ),
    Code(
        "id-personal", "warning", "A sourcedId that looks like a name or an e-mail address",
        "A sourcedId goes to every app, stands in addresses and in logs, and stays for ever. It should say nothing of the person.",
        "Export an id that means nothing, such as the number of the record in the student information system.",
        "`jane.doe` for Jane Doe",
        why="Names and addresses change and then a person becomes another one; and apps that may not see names see this one.", who="export",
    ),
    Code(
        "placeholder", "warning", "A value that only fills the field",
        "Test users, `N/A` for a name, a birth date of 1900-01-01, stars in place of letters: no person is behind them.",
        "Take test records out of the export, and leave empty what is not known.",
        "`Test Student`, `1900-01-01`",
        why="They take licences, receive mail, count in reports, and people are matched by values that many share.", who="office",
    ),
    Code(
        "grade", "warning", "A grade outside the list",
        "Grades are IT, PR, PK, TK, KG, 01 to 13, PS, UG and Other (CEDS entry grade levels), with two digits. The value is kept.",
        "Map the grade to one of the list in the export, or by a step of preparation.",
        "`9` instead of `09`, `Grade 3`",
        why="Apps drop grades they do not know, and the student or class is in none.", who="export",
    ),
    Code(
        "garbled", "warning", "Letters that were read in a wrong encoding",
        "Signs such as `Ã©` or the replacement character � stand where other letters were: an earlier step read UTF-8 as something else, or the"
        " other way round. What was lost cannot be told from here.",
        "Export in UTF-8 from the student information system itself, without opening the file in a spreadsheet on the way.",
        "`JosÃ©` where `José` belongs",
        why="People see their names misspelt in every app, and do not match by name.", who="export",
    ),
    Code(
        "cut-off", "warning", "Values that look cut off",
        "Many different values have exactly 15 or 20 characters, none has more, and few have one or two fewer.",
        "Widen the column in the export.",
        "forty titles of exactly 20 characters, such as `Advanced Placement B`",
        why="Names and addresses without their end match nobody, and two that began alike become one.", who="export",
    ),
    Code(
        "agent-self", "warning", "A person who is their own agent",
        "agentSourcedIds names the people who look after this one, or whom this one looks after; here it names the person themselves."
        " Two who name each other are as the standard has it.",
        "Take the person out of the list.",
        "`user-1` with `user-1` in agentSourcedIds",
        why="Apps that follow agents to find guardians show students their own parents' view, or go round in circles.", who="either",
    ),
    # People and ids
    Code(
        "username-shared", "warning", "Several people with one username",
        "The same username, whatever the case, belongs to more than one user.",
        "Give each person a username of their own, or remove the record that is there twice.",
        "`a.reyes` of user-1 and `A.Reyes` of user-7",
        why="Sign-in finds two people for one name: it fails for both, or lets one in as the other.", who="office",
    ),
    Code(
        "identifier-shared", "warning", "Several people with one identifier",
        "identifier, or userMasterIdentifier, is the number by which the district knows a person; here more than one user has it.",
        "Look whether it is one person under two ids, or a number given twice.",
        "`100234` of user-1 and user-7",
        why="Apps that match by number merge two people into one account.", who="office",
    ),
    Code(
        "email-shared", "warning", "Several people with one e-mail address",
        "The same address, whatever the case, belongs to more than one user: siblings, a parent and a teacher who are one person, an address of"
        " the office for those who have none.",
        "Give each person an address of their own, or leave the field empty for those who have none.",
        "`office@riverbend.example` of forty students",
        why="Sign-in by e-mail finds the wrong person, and apps merge the accounts.", who="office",
    ),
    Code(
        "person-twice", "warning", "A person who seems to be there twice",
        "Two users have the same name and birth date, and no two identifiers say that they are different people.",
        "Merge the records in the student information system, or give both their identifiers.",
        "two records of Ana Reyes, born 2012-05-04",
        why="Work, grades and licences are split between two accounts of one student.", who="office",
    ),
    Code(
        "id-case", "warning", "Ids that differ only in upper and lower case",
        "`User-1` and `user-1` are two records here and in the standard; for many databases they are one.",
        "Give one of the records another id.",
        "`User-1` and `user-1`",
        why="In apps that compare without case one of the records overwrites the other.", who="export",
    ),
    Code(
        "user-without-role", "warning", "A user with no role at any org",
        "The user is in users.csv, and no record in roles.csv says what they are, and where.",
        "Add the role, or leave the user out.",
        "`user-9` of which roles.csv knows nothing",
        why="No app that is granted a school or a role ever sees this person.", who="either",
    ),
    Code(
        "primary-roles", "warning", "Not one primary role at an org",
        "Of all the roles that a person has at one org at a time, exactly one is primary (OneRoster 1.2); here there are several, or none.",
        "Call one of them primary and the others secondary.",
        "principal and teacher at one school, both primary",
        why="A reader of 1.1, which knows one role only, gets one at random.", who="export",
    ),
    # Orgs and sessions
    Code(
        "circular", "warning", "Parents that go round in a circle",
        "Each org, or session, is below the next, and the last is below the first.",
        "Take the parent of the topmost one away.",
        "a district below its own school",
        why="Apps that climb from a school to its district never arrive.", who="either",
    ),
    Code(
        "school-alone", "warning", "A school that belongs to no district",
        "There is a district in the roster, and this school has no parent.",
        "Put the district's sourcedId into parentSourcedId.",
        "a school with an empty parentSourcedId",
        why="Apps that are shared by district, or look for schools below one, do not see it.", who="either",
    ),
    Code(
        "session-outside", "warning", "A session outside its parent",
        "It begins before its parent, or ends after it.",
        "Correct the dates of the one or the other.",
        "a term that ends in July in a school year that ends in June",
        why="On some days a term is current and its year is not; apps show one and hide the other.", who="office",
    ),
    Code(
        "school-year", "warning", "A school year that does not fit the dates",
        "A school year is named for the year in which it ends: a session of the year 2027 ends in 2027, or, being a part of it, in 2026."
        " And a part is of the same school year as its parent.",
        "Write the year in which the school year ends.",
        "`2026` for a year that ends on 2027-06-11",
        why="Classes are put into last year's archive, or into next year's.", who="export",
    ),
    Code(
        "session-alone", "note", "A session that belongs to no school year",
        "There are school years among the sessions, and this term, semester or grading period has no parent.",
        "Put the sourcedId of what it is a part of into parentSourcedId.",
        "a term with an empty parentSourcedId",
        why="Apps that show a year with its terms do not show this one.", who="export",
    ),
    # Classes and enrollments
    Code(
        "class-without-teacher", "warning", "A class without a teacher",
        "No enrollment makes anybody a teacher of this class.",
        "Enroll its teacher, or leave the class out.",
        "a class whose enrollments are all students'",
        why="Nobody can open it in an app: its students see an empty course, or none.", who="office",
    ),
    Code(
        "class-without-students", "warning", "A class without students",
        "No enrollment makes anybody a student of this class.",
        "Enroll its students, or leave the class out.",
        "a class that only has a teacher",
        why="Teachers find empty courses among theirs, and apps count licences for them.", who="office",
    ),
    Code(
        "primary-teachers", "warning", "A class with several primary teachers",
        "At most one teacher of a class is primary at a time; the others are co-teachers.",
        "Leave primary true for one of them.",
        "two enrollments of teachers in one class, both with primary true",
        why="An app that gives a course one owner takes either.", who="office",
    ),
    Code(
        "class-large", "note", "A class with very many students",
        "It has more than 115.",
        "Look whether it is a class; a whole school is better an org.",
        "`All students of grade 9`, with 412 of them",
        why="Some apps refuse classes of more than 115.", who="office",
    ),
    Code(
        "enrollment-outside", "warning", "An enrollment outside its class's sessions",
        "It begins when the sessions of the class are over, or ends before they begin.",
        "Correct the dates of the enrollment, or the terms of the class.",
        "an enrollment from 2025-08-18 to 2026-06-05 in a class of 2026-2027",
        why="On no day is this person in a class that is going on: apps that go by dates never show it.", who="either",
    ),
    Code(
        "enrollment-overhang", "note", "An enrollment that reaches beyond its class's sessions",
        "It begins some time before the sessions of the class, or ends after them (one day after is taken as the day that is no more in it).",
        "Nothing needs to be done, if people are enrolled early on purpose.",
        "an enrollment from 2026-08-01 in a term that begins on 2026-08-17",
        why="Apps that go by dates show the class before it begins.", who="export",
    ),
    Code(
        "enrollment-school", "warning", "An enrollment at another school than its class",
        "schoolSourcedId of an enrollment is the school of the class.",
        "Write the school of the class.",
        "an enrollment at the middle school in a class of the high school",
        why="An app that may see one school sees half of it: the class without the student, or the student without the class.", who="export",
    ),
    Code(
        "enrollment-role", "warning", "A role in a class that is not the person's",
        "Someone who is a student and nothing else teaches the class, or someone who is no student is enrolled as one.",
        "Correct the role of the enrollment, or add the role to the person.",
        "a student enrolled as teacher",
        why="A student who is a teacher in an app sees and changes the grades of all.", who="office",
    ),
    # Since the last delivery
    Code(
        "column-vanished", "warning", "A column that was delivered before is not there any more",
        "Values are stored in it. An absent column is not an empty one: what is stored stays as it is, and is updated no more.",
        "Put the column back; or, if the values are to go, deliver it empty.",
        "users.csv without the column `email`, in which 4,100 values are stored",
        why="Apps go on reading the old values, and nobody notices that they age.", who="export",
    ),
    Code(
        "column-emptied", "warning", "A column that ran empty",
        "Values are stored in it, and not one record has any now. They are going to be deleted.",
        "If that was not meant, correct the export, and undo or reject the import. To leave values alone, leave the column out.",
        "users.csv with the column `email`, empty in every record",
        why="People lose what apps know them by, all on one night.", who="export",
    ),
    Code(
        "rekeyed", "warning", "The same records under other ids",
        "Many ids are gone, many are new, and the records behind the new ones have the identifiers, addresses or names of those that are gone."
        " A sourcedId is for ever; here they were made anew.",
        "Export the ids of before. If they have to change, hold the import and re-link it: then apps keep the ids they know.",
        "5,000 users whose ids all begin with another prefix, and whose identifiers are the same",
        why="For apps everybody has left and strangers have come: work is lost, accounts are doubled.", who="export",
    ),
    Code(
        "id-reused", "warning", "An id that now names another",
        "The person stored under this sourcedId has another name, and another identifier or e-mail address; or the class another title, course"
        " and terms. An id is never given to somebody else.",
        "Give the new record an id of its own.",
        "`user-17`, who was Ana Reyes and is Ben Okoro now",
        why="In every app the new one opens the account of the old one, with all that is in it.", who="export",
    ),
)  # fmt: skip
