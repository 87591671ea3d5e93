"""The codes of findings about the values of a record, and about records among themselves."""

from rollbook.engine.codes import Code

RECORD_CODES = (
    # Values
    Code(
        "required", "error", "A required field is empty",
        "The standard requires a value in this field, and there is none.",
        "Fill the field.",
        "an org without a name",
        why="Apps rely on the field being there; a record without it would break them or be dropped by them, one app at a time.", who="either",
    ),
    Code(
        "delta-required", "error", "status or dateLastModified is empty in a delta file",
        "Every record of a delta file says whether it is active or tobedeleted, and since when.",
        "Fill status and dateLastModified, or send the file as bulk.",
        "`user-1,,,true,…` in a delta file",
        why="Without a status it is not known whether the record is to be kept or removed.", who="export",
    ),
    Code(
        "bulk-lifecycle", "error", "status or dateLastModified is filled in a bulk file",
        "In a bulk file both columns are there and empty. As an import, `tobedeleted` is honoured and everything else ignored.",
        "Leave both columns empty, or send the file as delta.",
        "`user-1,active,2026-09-01T08:00:00.000Z,…` in a bulk file", "warning",
        why="A complete file says by absence what is gone; a status beside it can say the contrary.", who="export",
    ),
    Code(
        "guid", "error", "Not an identifier",
        "An identifier has 1 to 255 characters out of `0-9 a-z A-Z . - _ / @`.",
        "Use only letters a-z, digits and . - _ / @ in identifiers, at most 255.",
        "`bad id`",
        why="Apps put identifiers into addresses; other characters make the record unreachable.", who="export",
    ),
    Code(
        "date", "error", "Not a date",
        "A date is a day of the calendar, written year-month-day.",
        "Write the date as 2026-09-01.",
        "`2026-02-30`, `9/1/2026`",
        why="A date that is guessed wrong lets an enrollment begin or end months off.", who="either",
    ),
    Code(
        "date-with-time", "error", "A date-time where a date belongs",
        "Only the day is asked for; it is taken and the time left out.",
        "Write the date as 2026-09-01, without a time.",
        "`2026-09-01T00:00:00.000Z`", "warning",
        why="With a time comes a time zone, and in another one it is another day.", who="export",
    ),
    Code(
        "datetime", "error", "Not a date-time",
        "A date-time is in UTC and ends with Z.",
        "Write the moment as 2026-09-01T08:00:00.000Z, in UTC.",
        "`2026-09-01 08:00`",
        why="Without a zone it is not known which moment is meant, and the newer of two records cannot be told.", who="export",
    ),
    Code(
        "year", "error", "Not a year",
        "A year has four digits; a school year is named for the year in which it ends.",
        "Write the year with four digits.",
        "`20X5`",
        why="Classes are put into the wrong year, or into none.", who="either",
    ),
    Code(
        "year-span", "error", "A school year written as two years",
        "A school year is named for the year in which it ends; that one is taken.",
        "Write the second year alone.",
        "`2026-2027` instead of `2027`", "warning",
        why="Half of the readers take the first year and half the second, and classes end up a year off.", who="export",
    ),
    Code(
        "integer", "error", "Not a whole number", "Digits, perhaps with a minus sign in front.",
        "Write a whole number.", "`twenty`",
        why="Apps that calculate with it would stop, or go on with zero.", who="either",
    ),
    Code(
        "float", "error", "Not a number", "Digits, perhaps with a decimal point.",
        "Write a number with a point before its decimals.", "`95,5`",
        why="A comma read as a separator of thousands makes a hundred out of a one.", who="export",
    ),
    Code(
        "boolean", "error", "Neither true nor false", "Only the words true and false are booleans.",
        "Write true or false.", "`yes`",
        why="Whether somebody may sign in is not a thing to guess.", who="export",
    ),
    Code(
        "boolean-case", "error", "true or false in other letters",
        "The words are written in small letters.",
        "Write true or false in small letters.", "`TRUE`", "warning",
        why="A reader that goes by the letter takes TRUE for a word it does not know.", who="export",
    ),
    Code(
        "enum", "error", "A word that is not in the vocabulary",
        "The field takes one word of a list; where the list is open, words of one's own begin with `ext:`.",
        "Use a word of the vocabulary.", "`pupil` as a role",
        why="Apps decide by these words who is a student and who teaches; one they do not know lands nowhere.", who="either",
    ),
    Code(
        "enum-case", "error", "A word of the vocabulary in other letters",
        "Words of a vocabulary are written exactly as in the standard.",
        "Write the word as the standard does.", "`Student`, `school_year`", "warning",
        why="A reader that goes by the letter does not know the word, and the record lands nowhere.", who="export",
    ),
    Code(
        "list-item", "error", "An item of a list that has not the right form",
        "The items of this list are of a certain form, such as `{type:identifier}` or a word of a vocabulary.",
        "Write each item in the form the standard gives.", "`LDAP:amy` instead of `{LDAP:amy}`",
        why="Apps take the items apart to match people; an item in another form matches nobody.", who="export",
    ),
    Code(
        "list-empty-item", "error", "A list with an empty item",
        "Items are separated by one comma each; the empty item is left out.",
        "Take the extra comma out.", "`\"09,,10\"`", "warning",
        why="A reader that does not leave it out knows a grade or a subject with no name.", who="export",
    ),
    Code(
        "list-separator", "warning", "A list that is not separated by commas",
        "Items are separated by commas. As an import, `;` or `|` separates the items of a list that has no comma; by the letter it is"
        " part of the one item there is.",
        "Separate the items with commas.", "`09;10`",
        why="By the letter it is one item with a strange name, so a student of two grades is in neither.", who="export",
    ),
    # Records among themselves
    Code(
        "duplicate", "error", "The same sourcedId twice in one file",
        "It cannot be known which of the records is meant; none of them is taken.",
        "Keep one record for each sourcedId.", "two records `user-1` in users.csv",
        why="Taking one of them could give a person another's name or role.", who="either",
    ),
    Code(
        "id-taken", "error", "A sourcedId that another way in has brought",
        "Another connection of this district serves a living record under this id, or one is kept by hand. A record has one owner: that one"
        " stays as it is, this one is held back, and what refers to it refers to that one.",
        "Let one of the two deliver the record; what the other no longer delivers is this one's with its next delivery. Where they are two"
        " different things, give one of the connections a prefix before its first import.",
        "`district-1` in the files of two student information systems",
        why="Each night the one would overwrite what the other says, and what one no longer has would be deleted for both.", who="district",
    ),
    Code(
        "reference-file", "error", "References into a file that is not there",
        "A bulk file refers to records that have to be in the same package.",
        "Add the file that is referred to.", "lineItems.csv without classes.csv",
        why="Apps would be told of records whose other half does not exist.", who="export",
    ),
    Code(
        "reference", "error", "A reference to a record that is not there",
        "The record that is referred to is neither in the package nor stored.",
        "Add the record that is referred to, or correct the reference.", "an enrollment of the unknown user `user-9`",
        why="An app that follows the reference finds nothing: a student without a class, a class without a school.", who="either",
    ),
    Code(
        "waiting", "warning", "Records that wait for another",
        "They refer to a record that is in error itself and was never stored; they come in as soon as it does.",
        "Correct the record they wait for.", "the enrollments of a class that is in error",
        why="They are missing in every app until the record they wait for is corrected; one correction brings all of them.", who="either",
    ),
    Code(
        "score-range", "error", "The least value is greater than the greatest",
        "resultValueMin may not be above resultValueMax.",
        "Exchange or correct the two values.", "`100,0`",
        why="No score can lie in such a range.", who="office",
    ),
    Code(
        "objective-id", "error", "Not the identifier of a CASE objective",
        "Where source is `case`, learningObjectiveId is the objective's UUID.",
        "Write the UUID of the objective, with or without urn:uuid: in front.", "`algebra-1`",
        why="Apps look the objective up by this identifier and find nothing.", who="either",
    ),
    Code(
        "dates-reversed", "warning", "The end is before the beginning",
        "A span of days ends before it begins. Both dates are kept as they are.",
        "Look which of the two dates is wrong.", "`2027-06-30,2026-08-01`",
        why="Nobody is ever inside such a span: apps that go by dates never show it.", who="office",
    ),
)  # fmt: skip
