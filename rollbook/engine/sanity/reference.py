"""docs/reference/sanity.md: every line of a sanity check, written from the lines themselves."""

from rollbook.engine.sanity.lines import GROUPS, LINES, NEED_CODE, NEED_MEANING, NEED_TITLE, SEVERITIES, WHO


def sanity_markdown() -> str:
    """The page."""
    lines = [
        "# Sanity check",
        "",
        "What `rollbook sanity` and *Run sanity check* look for, in this order. Everything is asked of what the app itself is served:",
        "a class without a teacher is one of which this app sees no teacher. Above the lines stand the counts of each collection and role.",
        "`rollbook sanity limit GRANT CODE PERCENT` keeps an export back while more than that share of a line's records is concerned",
        "([how](../how-to/check-what-an-app-sees.md)).",
        "",
        "| severity | meaning |",
        "|---|---|",
        *(f"| {severity} | {meaning} |" for severity, meaning in SEVERITIES.items()),
    ]
    for group, title in GROUPS.items():
        lines += ["", f"## {title}"]
        for line in (line for line in LINES if line.group == group):
            lines += ["", f"### {line.code}", "", f"**{line.title}**: {line.severity}. {line.meaning}", ""]
            lines.append(f"*Who can:* {WHO[line.who]}")
        if group == "needs":
            lines += [
                "",
                f"### {NEED_CODE}:…",
                "",
                f"**{NEED_TITLE}**: error. {NEED_MEANING} There is a line for each",
                "",
            ]
            lines[-2] += (
                " collection and field that the catalogue calls required, such as `required:users.email`."
            )
            lines.append(f"*Who can:* {WHO['either']}")
    return "\n".join(lines) + "\n"
