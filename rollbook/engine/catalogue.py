"""Every code a Finding can have: its severity, what it means, what to do, and an example. docs/reference/findings.md is made from it.

`severity` is what it is by the letter; `as_import` what it is when a package is read as the import reads it, where that differs.
"""

from dataclasses import dataclass

SEVERITIES = ("fatal", "error", "warning", "note")

SEVERITY_MEANING = {
    "fatal": "The package cannot be judged further, and nothing of it is imported.",
    "error": "The record, or the whole file where a file is named, is held back: what is stored of it stays as it is.",
    "warning": "It was read all the same, as the finding says; look whether that is what was meant.",
    "note": "Nothing needs to be done.",
}


@dataclass(frozen=True)
class Code:
    """One kind of finding. `remedy` is also its message where nothing more particular can be said."""

    code: str
    severity: str
    title: str
    meaning: str
    remedy: str
    example: str
    as_import: str | None = None

    def severity_as(self, lenient: bool) -> str:
        return self.as_import if lenient and self.as_import else self.severity


CODES = (
    # The container
    Code(
        "enclosing-folder", "error", "The files are inside a folder",
        "The standard wants the files at the root of the zip; here they are all inside one folder.",
        "Zip the files themselves, not the folder that holds them.",
        "`district/users.csv` instead of `users.csv`", "warning",
    ),
    Code(
        "stray-file", "error", "A file that the computer left behind",
        "Files such as `__MACOSX/…`, `.DS_Store` and `Thumbs.db` are put into archives by desktop systems.",
        "Leave it out of the package. It is not read.",
        "`__MACOSX/._users.csv`", "warning",
    ),
    Code(
        "unknown-file", "error", "A file the standard does not know",
        "A package holds manifest.csv and the files of its version, and nothing else.",
        "Leave the file out, or give it the name the standard gives it. It is not read.",
        "`students.csv`", "warning",
    ),
    Code(
        "file-name-case", "error", "A file name in other letters",
        "File names are case-sensitive.",
        "Name the file exactly as the standard does.",
        "`USERS.CSV` instead of `users.csv`", "warning",
    ),
    Code(
        "file-twice", "fatal", "The same file twice",
        "Two files of the package have the same name once upper and lower case are disregarded, so it is not known which is meant.",
        "Keep one of them.",
        "`users.csv` and `Users.csv`",
    ),
    # The manifest
    Code(
        "manifest-missing", "error", "No manifest",
        "manifest.csv says which version the package has and which files are complete (bulk) or changes only (delta).",
        "Add manifest.csv. Without it, version and mode are read from the files themselves.",
        "a package with users.csv and without manifest.csv", "warning",
    ),
    Code(
        "manifest-unclear", "fatal", "No manifest, and the files do not say what they are",
        "Without a manifest, either the version cannot be told from the columns, or filled status columns leave open whether a file"
        " is complete (bulk) or holds changes only (delta). Guessing wrong could delete a roster.",
        "Add manifest.csv.",
        "no manifest.csv, and users.csv with `active` in its status column",
    ),
    Code(
        "manifest-header", "fatal", "The manifest does not begin with propertyName,value",
        "The header of manifest.csv is exactly `propertyName,value`.",
        "Write `propertyName,value` into its first line.",
        "`PropertyName,value`",
    ),
    Code(
        "manifest-row", "error", "A row of the manifest that is not a name and a value",
        "Each row of manifest.csv has two fields, and each name stands once.",
        "Write one name and one value in each row, each name once.",
        "`file.users,bulk,delta`",
    ),
    Code(
        "manifest-version", "error", "manifest.version is not 1.0",
        "The manifest's own version is 1.0 in OneRoster 1.1 and 1.2.",
        "Write `manifest.version,1.0`.",
        "`manifest.version,1.1`", "warning",
    ),
    Code(
        "oneroster-version", "fatal", "oneroster.version is neither 1.1 nor 1.2",
        "The version decides which files and columns there are.",
        "Write `oneroster.version,1.1` or `oneroster.version,1.2`.",
        "`oneroster.version,2.0`",
    ),
    Code(
        "manifest-key-missing", "error", "A row is missing in the manifest",
        "The manifest has a row for every file of its version, also for those that are absent.",
        "Add the row with absent, bulk or delta. A file without a row is not read.",
        "no row `file.categories`", "warning",
    ),
    Code(
        "manifest-key-unknown", "error", "A row the manifest does not know",
        "Names are case-sensitive and come from a closed list.",
        "Take the row out, or spell its name as the standard does. It is not read.",
        "`file.classresources,absent`", "warning",
    ),
    Code(
        "manifest-mode", "error", "A mode that is not absent, bulk or delta",
        "Only these three words say what a file is.",
        "Write absent, bulk or delta. Until then the file is not read.",
        "`file.users,full`",
    ),
    Code(
        "manifest-mode-case", "error", "A mode in other letters",
        "absent, bulk and delta are written in small letters.",
        "Write the mode in small letters.",
        "`file.users,Bulk`", "warning",
    ),
    Code(
        "manifest-file-missing", "error", "The manifest announces a file that is not there",
        "A file declared bulk or delta has to be in the package.",
        "Add the file, or declare it absent. What is stored of it is not touched.",
        "`file.users,bulk` and no users.csv",
    ),
    Code(
        "manifest-file-unexpected", "error", "The manifest calls a file absent that is there",
        "The set of files and the manifest have to agree.",
        "Declare the file bulk or delta, or leave it out. It is not read.",
        "`file.users,absent` and a users.csv",
    ),
    # The bytes of a file
    Code(
        "encoding", "error", "The file is not UTF-8",
        "CSV files are UTF-8. Where the bytes make sense as Windows-1252 they are read as that.",
        "Export the file as UTF-8.",
        "`Zo\\xeb` where `Zo\\xc3\\xab` belongs", "warning",
    ),
    Code(
        "encoding-unreadable", "error", "The file is in no encoding that can be read",
        "The bytes are neither UTF-8 nor Windows-1252 (perhaps UTF-16, or not text at all). The file is not read.",
        "Export the file as UTF-8.",
        "a UTF-16 file",
    ),
    Code(
        "byte-order-mark", "note", "The file begins with a byte order mark",
        "Readers have to skip it, and we do.",
        "Nothing needs to be done.",
        "`\\xef\\xbb\\xbfsourcedId,…`",
    ),
    Code(
        "csv-quote", "error", "Quotes that do not follow the rules",
        "A field that contains a quote is put in quotes, and each quote inside it is doubled (RFC 4180). The line cannot be read.",
        "Put the field in quotes and double the quotes inside it.",
        '`user-1,bad"quote`',
    ),
    Code(
        "csv-columns", "error", "A line with more or fewer fields than the header",
        "Perhaps a comma inside a field is not quoted. The line cannot be read.",
        "Give every line as many fields as the header has.",
        "`org-1,,,Riverbend, Lower School,school`",
    ),
    Code(
        "csv-newline", "error", "A line break inside a field",
        "The standard allows no line break inside a field, not even in quotes.",
        "Take the line break out.",
        '`"12 Mill Lane⏎Riverbend"`', "warning",
    ),
    Code(
        "csv-blank-line", "error", "An empty line",
        "A line without any field is no record.",
        "Take the empty line out. It is not read.",
        "two line ends in a row", "warning",
    ),
    Code(
        "csv-long", "error", "A line longer than a line can be",
        "No field may be longer than 1 MiB. Perhaps a quote is never closed. The line is not read.",
        "Shorten the field, or close the quote.",
        "a photograph in a field",
    ),
    Code(
        "csv-nul", "error", "A NUL character",
        "Text has no NUL characters; databases cannot keep them. The line is not read.",
        "Take the NUL out.",
        "`Ann\\x00a`",
    ),
    Code(
        "file-empty", "error", "A file without records",
        "A bulk file without records would say that everything is gone. Where records are stored it is not believed; where none are it is"
        " accepted as empty.",
        "Declare the file absent instead of sending it without records.",
        "users.csv with nothing but its header",
    ),
    Code(
        "file-empty-accepted", "error", "A file without records, where none are stored",
        "The standard does not permit a file without records; nothing is lost by accepting it as empty where nothing is stored.",
        "Declare the file absent instead of sending it without records.",
        "users.csv with nothing but its header, in the first delivery", "warning",
    ),
    # The header of a file
    Code(
        "header-none", "error", "The file has no header that can be read",
        "The first line names the columns. The file is not read.",
        "Write the columns of the standard into the first line.",
        "an empty file",
    ),
    Code(
        "header-missing", "error", "A required column is missing",
        "Without this column no record can be read from the file. The file is not read.",
        "Add the column.",
        "orgs.csv without `name`",
    ),
    Code(
        "header-optional-missing", "error", "An optional column is missing",
        "All columns of the standard are always there, if need be without values. What is stored in this field stays.",
        "Add the column, with empty values if need be.",
        "orgs.csv without `identifier`", "warning",
    ),
    Code(
        "header-order", "error", "The columns are in another order",
        "The order of the columns is prescribed.",
        "Put the columns into the order of the standard.",
        "`status,sourcedId,…`", "warning",
    ),
    Code(
        "header-twice", "error", "A column stands twice",
        "It cannot be known which of the two is meant. The file is not read.",
        "Keep one of the two columns.",
        "`name,name`",
    ),
    Code(
        "header-unknown", "error", "A column the standard does not know",
        "Columns of one's own are called `metadata.` and a name.",
        "Take the column out, or call it `metadata.` and a name. It is not read.",
        "`localCode`", "warning",
    ),
    Code(
        "header-metadata-position", "error", "A metadata column stands among the others",
        "Columns of one's own stand at the far right, behind those of the standard.",
        "Move the column to the far right.",
        "`sourcedId,metadata.local,status,…`", "warning",
    ),
    Code(
        "header-spaces", "error", "A column name with spaces around it",
        "Column names are written exactly as in the standard.",
        "Take the spaces out.",
        "`name `", "warning",
    ),
    Code(
        "header-draft-column", "note", "A column of a draft of the standard",
        "users.csv had resourceSourcedIds in a draft of 1.2; userResources.csv has taken its place. It is not read.",
        "Nothing needs to be done.",
        "`resourceSourcedIds` in users.csv",
    ),
    # Values
    Code(
        "required", "error", "A required field is empty",
        "The standard requires a value here.",
        "Fill the field.",
        "an org without a name",
    ),
    Code(
        "delta-required", "error", "status or dateLastModified is empty in a delta file",
        "Every record of a delta file says whether it is active or tobedeleted, and since when.",
        "Fill status and dateLastModified, or send the file as bulk.",
        "`user-1,,,true,…` in a delta file",
    ),
    Code(
        "bulk-lifecycle", "error", "status or dateLastModified is filled in a bulk file",
        "In a bulk file both columns are there and empty. As an import, `tobedeleted` is honoured and everything else ignored.",
        "Leave both columns empty, or send the file as delta.",
        "`user-1,active,2026-09-01T08:00:00.000Z,…` in a bulk file", "warning",
    ),
    Code(
        "guid", "error", "Not an identifier",
        "An identifier has 1 to 255 characters out of `0-9 a-z A-Z . - _ / @`.",
        "Use only letters a-z, digits and . - _ / @ in identifiers, at most 255.",
        "`bad id`",
    ),
    Code(
        "date", "error", "Not a date",
        "A date is a day of the calendar, written year-month-day.",
        "Write the date as 2026-09-01.",
        "`2026-02-30`, `9/1/2026`",
    ),
    Code(
        "date-with-time", "error", "A date-time where a date belongs",
        "Only the day is asked for; it is taken and the time left out.",
        "Write the date as 2026-09-01, without a time.",
        "`2026-09-01T00:00:00.000Z`", "warning",
    ),
    Code(
        "datetime", "error", "Not a date-time",
        "A date-time is in UTC and ends with Z.",
        "Write the moment as 2026-09-01T08:00:00.000Z, in UTC.",
        "`2026-09-01 08:00`",
    ),
    Code(
        "year", "error", "Not a year",
        "A year has four digits; a school year is named for the year in which it ends.",
        "Write the year with four digits.",
        "`20X5`",
    ),
    Code(
        "year-span", "error", "A school year written as two years",
        "A school year is named for the year in which it ends; that one is taken.",
        "Write the second year alone.",
        "`2026-2027` instead of `2027`", "warning",
    ),
    Code(
        "integer", "error", "Not a whole number", "Digits, perhaps with a minus sign in front.",
        "Write a whole number.", "`twenty`",
    ),
    Code(
        "float", "error", "Not a number", "Digits, perhaps with a decimal point.",
        "Write a number with a point before its decimals.", "`95,5`",
    ),
    Code(
        "boolean", "error", "Neither true nor false", "Only the words true and false are booleans.",
        "Write true or false.", "`yes`",
    ),
    Code(
        "boolean-case", "error", "true or false in other letters",
        "The words are written in small letters.",
        "Write true or false in small letters.", "`TRUE`", "warning",
    ),
    Code(
        "enum", "error", "A word that is not in the vocabulary",
        "The field takes one word of a list; where the list is open, words of one's own begin with `ext:`.",
        "Use a word of the vocabulary.", "`pupil` as a role",
    ),
    Code(
        "enum-case", "error", "A word of the vocabulary in other letters",
        "Words of a vocabulary are written exactly as in the standard.",
        "Write the word as the standard does.", "`Student`, `school_year`", "warning",
    ),
    Code(
        "list-item", "error", "An item of a list that has not the right form",
        "The items of this list are of a certain form, such as `{type:identifier}` or a word of a vocabulary.",
        "Write each item in the form the standard gives.", "`LDAP:amy` instead of `{LDAP:amy}`",
    ),
    Code(
        "list-empty-item", "error", "A list with an empty item",
        "Items are separated by one comma each; the empty item is left out.",
        "Take the extra comma out.", "`\"09,,10\"`", "warning",
    ),
    Code(
        "list-separator", "warning", "A list that is not separated by commas",
        "Items are separated by commas. As an import, `;` or `|` separates the items of a list that has no comma; by the letter it is"
        " part of the one item there is.",
        "Separate the items with commas.", "`09;10`",
    ),
    # Records among themselves
    Code(
        "duplicate", "error", "The same sourcedId twice in one file",
        "It cannot be known which of the records is meant; none of them is taken.",
        "Keep one record for each sourcedId.", "two records `user-1` in users.csv",
    ),
    Code(
        "reference-file", "error", "References into a file that is not there",
        "A bulk file refers to records that have to be in the same package.",
        "Add the file that is referred to.", "lineItems.csv without classes.csv",
    ),
    Code(
        "reference", "error", "A reference to a record that is not there",
        "The record that is referred to is neither in the package nor stored.",
        "Add the record that is referred to, or correct the reference.", "an enrollment of the unknown user `user-9`",
    ),
    Code(
        "waiting", "warning", "Records that wait for another",
        "They refer to a record that is in error itself and was never stored; they come in as soon as it does.",
        "Correct the record they wait for.", "the enrollments of a class that is in error",
    ),
    Code(
        "score-range", "error", "The least value is greater than the greatest",
        "resultValueMin may not be above resultValueMax.",
        "Exchange or correct the two values.", "`100,0`",
    ),
    Code(
        "objective-id", "error", "Not the identifier of a CASE objective",
        "Where source is `case`, learningObjectiveId is the objective's UUID.",
        "Write the UUID of the objective, with or without urn:uuid: in front.", "`algebra-1`",
    ),
    Code(
        "dates-reversed", "warning", "The end is before the beginning",
        "Both dates are kept as they are.",
        "Look which of the two dates is wrong.", "`2027-06-30,2026-08-01`",
    ),
)  # fmt: skip

CATALOGUE = {code.code: code for code in CODES}


def findings_markdown() -> str:
    """The page docs/reference/findings.md."""
    lines = [
        "# Findings",
        "",
        "What `rollbook validate` and an import can say about a package. Each finding names the file, the line, the field and the value",
        "at fault. `--as-import` judges as an import does: deviations that can be read without guessing are repaired",
        "([repairs](repairs.md)) and become warnings.",
        "",
        "| severity | meaning |",
        "|---|---|",
        *(f"| {severity} | {SEVERITY_MEANING[severity]} |" for severity in SEVERITIES),
        "",
        f"Of each code at most 100 findings a file are listed; all are counted. There are {len(CODES)} codes.",
    ]
    for code in CODES:
        lines += ["", f"## {code.code}", "", f"**{code.title}**: {severity_words(code)}.", ""]
        lines += [code.meaning, "", f"*What to do:* {code.remedy}", "", f"*Example:* {code.example}"]
    return "\n".join(lines) + "\n"


def severity_words(code: Code) -> str:
    return f"{code.severity} (as an import: {code.as_import})" if code.as_import else code.severity
