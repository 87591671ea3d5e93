"""Codes of findings about the preparation of a delivery: what the steps of its connection changed, and what they could not."""

from rollbook.engine.codes import Code

PREPARATION_CODES = (
    Code(
        "preparation-idle", "warning", "A preparation step was not applied",
        "A step of this connection needs a column or a file that the package does not have. All other steps were applied.",
        "Bring the column or the file back into the export, or change or remove the step.",
        "a step on `email` where users.csv has no such column",
        why="What the step was made for is not done in this delivery.", who="district",
    ),
    Code(
        "prepared", "note", "A preparation step changed records",
        "A step of this connection changed values between reading and checking. What was delivered is kept as it came.",
        "Nothing needs to be done.",
        "step 1 writes `email` of 4,000 users in small letters",
        why="It tells values that stand otherwise in the file from those that were imported.", who="nobody",
    ),
    Code(
        "preparation-unmatched", "note", "A preparation step found no match",
        "Values that are not in the table of a step, records without a row in the file that is brought in, or rows there that belong to"
        " no record.",
        "Look at some of them; complete the table or the file where they matter.",
        "grade `13`, where the table ends with 12",
        why="For these the step did nothing, or what it says of others.", who="district",
    ),
    Code(
        "preparation-tie", "note", "Two schools have as many enrollments of a user",
        "The step that makes the school of most enrollments the main one cannot choose between them; it does what it says of ties.",
        "Nothing needs to be done, unless it matters which of the schools is the main one: then say so in the student information system.",
        "three enrollments in each of two schools",
        why="The main organization of these users is not decided by their enrollments.", who="nobody",
    ),
)  # fmt: skip
