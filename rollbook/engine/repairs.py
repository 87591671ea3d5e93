"""What an import reads although it is not as the standard has it: every kind, in words. docs/reference/repairs.md is made from it.

How each is recognised stands where it is read: `package`, `manifest`, `headers`, `records`, `stage` and `values`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of deviation that is repaired: the finding's code, what is delivered, and what is read."""

    code: str
    delivered: str
    read: str


KINDS = (
    Kind(
        "enclosing-folder", "All files inside one folder of the zip", "The files, as if they were at the root"
    ),
    Kind("stray-file", "`__MACOSX`, `.DS_Store`, `Thumbs.db` and the like", "Nothing: they are passed over"),
    Kind("unknown-file", "A file the standard does not know", "Nothing: it is passed over"),
    Kind("file-name-case", "`USERS.CSV`", "`users.csv`"),
    Kind(
        "manifest-missing",
        "No manifest.csv, and no status or date is filled in any file",
        "The version whose columns the files have; every file as bulk",
    ),
    Kind("manifest-version", "Another manifest.version than 1.0", "The manifest as 1.0"),
    Kind("manifest-key-missing", "No row in the manifest for a file", "The file as absent"),
    Kind("manifest-key-unknown", "A row of the manifest under an unknown name", "Nothing: it is passed over"),
    Kind("manifest-mode-case", "`Bulk`", "`bulk`"),
    Kind("encoding", "A file in Windows-1252", "The same characters"),
    Kind("csv-newline", "A line break inside a quoted field", "The field, with its line break"),
    Kind("csv-blank-line", "An empty line", "Nothing: it is passed over"),
    Kind(
        "file-empty-accepted",
        "A file without records, where none of its records are stored",
        "An empty collection",
    ),
    Kind(
        "header-optional-missing",
        "An optional column is missing (in bulk files also status and dateLastModified)",
        "Nothing of that field: what is stored in it stays",
    ),
    Kind("header-order", "Columns in another order", "Each column by its name"),
    Kind("header-unknown", "A column the standard does not know", "Nothing: it is passed over"),
    Kind("header-metadata-position", "A metadata column among the others", "The column by its name"),
    Kind("header-spaces", "A column name with spaces around it", "The name without them"),
    Kind(
        "bulk-lifecycle",
        "status or dateLastModified filled in a bulk file",
        "`tobedeleted` as a deletion; everything else as if it were empty",
    ),
    Kind("date-with-time", "`2026-09-01T00:00:00.000Z` where a date belongs", "`2026-09-01`"),
    Kind("year-span", "`2026-2027` as a school year", "`2027`, the year in which it ends"),
    Kind("boolean-case", "`TRUE`, `False`", "`true`, `false`"),
    Kind(
        "enum-case",
        "A word of a vocabulary in other letters, or with spaces, hyphens or underscores (`School_Year`)",
        "The word as the standard spells it (`schoolYear`)",
    ),
    Kind("list-empty-item", 'Doubled, leading or trailing commas in a list (`"09,,10"`)', '`"09,10"`'),
    Kind(
        "list-separator", "A list without a comma, with `;` or `|` between its items (`09;10`)", '`"09,10"`'
    ),
)


def repairs_markdown() -> str:
    """The page docs/reference/repairs.md."""
    lines = [
        "# Repairs",
        "",
        "By the letter (`rollbook validate`) each of these is a deviation. An import, and `rollbook validate --as-import`, reads what can",
        "be read without guessing, and notes it as a warning. What is not in this list is not repaired: the record or the file is in error.",
        "",
        "| finding | delivered | read as |",
        "|---|---|---|",
        *(f"| [{kind.code}](findings.md#{kind.code}) | {kind.delivered} | {kind.read} |" for kind in KINDS),
        "",
        "A byte order mark, and lines that end with LF or CR LF, are read by the letter too.",
    ]
    return "\n".join(lines) + "\n"
