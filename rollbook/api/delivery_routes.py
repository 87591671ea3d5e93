"""The addresses under /api/v1 by which apps are given packages: as data, with the schemas of what is sent and answered."""

from rollbook.api.route import MOMENT, NOT_THERE, NUMBER, REFUSED, TEXT, Route, Schema
from rollbook.flows.roles import Act

BAD = {
    400: "What was sent is no JSON object of this form.",
    422: "It was understood and will not be done: the answer says why.",
}
UNSET = {409: "It cannot be done as things stand: the answer says why."}

DELIVERY_ROUTES = (
    Route(
        ("GET",), "/apps/{grant}/export", "export", "How an app gets packages by SFTP; secrets are never told.",
        {200: "As it is now.", **UNSET, **NOT_THERE, **REFUSED}, schema="Export", act=Act.MANAGE_DELIVERIES,
    ),
    Route(
        ("PUT",), "/apps/{grant}/export", "set_export", "Say how an app gets packages. What is not sent stays; secrets too.",
        {200: "As it is now.", **BAD, **UNSET, **NOT_THERE, **REFUSED},
        schema="Export", body="ExportToSet", act=Act.MANAGE_DELIVERIES,
    ),
    Route(
        ("DELETE",), "/apps/{grant}/export", "remove_export", "Give the app no packages any more. What it got stays known.",
        {204: "It gets none.", **UNSET, **NOT_THERE, **REFUSED}, act=Act.MANAGE_DELIVERIES,
    ),
    Route(
        ("POST",), "/apps/{grant}/export/test", "test_export", "Have a worker test whether packages could be handed over.",
        {202: "It waits for a worker; Location is its address.", **UNSET, **NOT_THERE, **REFUSED},
        schema="Tested", act=Act.MANAGE_DELIVERIES,
    ),
    Route(
        ("GET",), "/apps/{grant}/export/tests/{test}", "export_test", "A test: whether it has ended, and what was found, in words.",
        {200: "As it is now.", **NOT_THERE, **REFUSED}, schema="Tested", act=Act.MANAGE_DELIVERIES,
    ),
    Route(
        ("GET",), "/apps/{grant}/export/columns", "export_columns",
        "Which files and columns its packages can hold, for templates: what its permissions keep back is not among them.",
        {200: "As they are now.", **NOT_THERE, **REFUSED}, schema="PackageColumns", act=Act.MANAGE_DELIVERIES,
    ),
    Route(
        ("POST",), "/apps/{grant}/export/sample", "sample_files",
        "The first rows of the files of a template, as a package would have them now.",
        {200: "Up to 5 rows of each.", **BAD, **UNSET, **NOT_THERE, **REFUSED},
        schema="Samples", body="FilesToSample", act=Act.MANAGE_DELIVERIES,
    ),
    Route(
        ("GET",), "/apps/{grant}/deliveries", "deliveries", "The latest 100 packages of an app.",
        {200: "The latest first.", **NOT_THERE, **REFUSED}, schema="Deliveries", act=Act.MANAGE_DELIVERIES,
    ),
    Route(
        ("POST",), "/apps/{grant}/deliveries", "add_delivery",
        "Make a package: for the app, as its export says, or for yourself to download.",
        {202: "It waits for a worker; Location is its address.", **BAD, **UNSET, **NOT_THERE, **REFUSED},
        schema="Delivery", body="DeliveryToMake", act=Act.MANAGE_DELIVERIES,
    ),
    Route(
        ("GET",), "/deliveries/{delivery}", "delivery", "A delivery: how far it is, and what it came to.",
        {200: "As it is now.", **NOT_THERE, **REFUSED}, schema="Delivery", act=Act.MANAGE_DELIVERIES,
    ),
    Route(
        ("DELETE",), "/deliveries/{delivery}", "cancel_delivery", "Cancel a delivery that is under way: it ends at its next safe point.",
        {200: "It ends.", 409: "It has ended already.", **NOT_THERE, **REFUSED}, schema="Delivery", act=Act.MANAGE_DELIVERIES,
    ),
    Route(
        ("GET",), "/deliveries/{delivery}/package.zip", "package", "The package that was made for download, for a day.",
        {200: "The zip itself.", **UNSET, **NOT_THERE, **REFUSED}, act=Act.MANAGE_DELIVERIES,
    ),
)  # fmt: skip

WORDS: Schema = {"type": "object", "additionalProperties": TEXT}

DELIVERY_SCHEMAS: dict[str, Schema] = {
    "Export": {
        "type": "object",
        "required": ["way", "enabled", "version", "mode"],
        "properties": {
            "way": {"type": "string", "enum": ["push", "pickup"]},
            "enabled": {"type": "boolean"},
            "version": {"type": "string", "enum": ["1.1", "1.2"]},
            "mode": {"type": "string", "enum": ["bulk", "delta"]},
            "times": {"type": "array", "items": TEXT},
            "weekdays": {"type": "array", "items": TEXT},
            "file_name": TEXT,
            "template": TEXT,
        },
    },
    "ExportToSet": {
        "type": "object",
        "required": ["way"],
        "properties": {
            "way": {"type": "string", "enum": ["push", "pickup"]},
            "enabled": {"type": "boolean"},
            "settings": {
                **WORDS,
                "description": "Texts by name, secrets among them: docs/how-to/send-packages.md lists them.",
            },
        },
    },
    "Tested": {
        "type": "object",
        "required": ["test", "phase", "outcome", "found", "reason", "href"],
        "properties": {
            "test": NUMBER,
            "grant": NUMBER,
            "phase": {"type": "string", "enum": ["waiting", "running", "done"]},
            "outcome": {**TEXT, "description": "Empty until it ends; then success, failed or replaced."},
            "found": {"type": "array", "items": TEXT},
            "reason": {**TEXT, "description": "What is wrong, in words."},
            "startedBy": TEXT,
            "startedAt": MOMENT,
            "endedAt": MOMENT,
            "href": {**TEXT, "format": "uri"},
        },
    },
    "PackageColumns": {
        "type": "object",
        "required": ["version", "files"],
        "properties": {
            "version": TEXT,
            "files": {"type": "object", "additionalProperties": {"type": "array", "items": TEXT}},
        },
    },
    "FilesToSample": {
        "type": "object",
        "properties": {"template": {**TEXT, "description": "Without one, the template that is set."}},
    },
    "Samples": {
        "type": "object",
        "required": ["files"],
        "properties": {"files": {"type": "array", "items": {"$ref": "#/components/schemas/SampledFile"}}},
    },
    "SampledFile": {
        "type": "object",
        "required": ["file", "titles", "rows", "looked_at", "is_all"],
        "properties": {
            "file": TEXT,
            "titles": {"type": "array", "items": TEXT},
            "rows": {"type": "array", "items": {"type": "array", "items": TEXT}},
            "looked_at": {**NUMBER, "description": "So many records of the app's were looked at."},
            "is_all": {"type": "boolean", "description": "Whether those were all."},
        },
    },
    "DeliveryToMake": {
        "type": "object",
        "properties": {
            "download": {"type": "boolean", "description": "For yourself, not for the app."},
            "mode": {"type": "string", "enum": ["", "bulk", "delta"]},
            "version": {"type": "string", "enum": ["", "1.1", "1.2"]},
        },
    },
    "Delivery": {
        "type": "object",
        "required": ["delivery", "grant", "way", "mode", "outcome", "reason", "rows"],
        "properties": {
            "delivery": NUMBER,
            "grant": NUMBER,
            "app": TEXT,
            "way": {"type": "string", "enum": ["push", "pickup", "download", "command"]},
            "version": TEXT,
            "mode": {"type": "string", "enum": ["bulk", "delta", "custom"]},
            "phase": TEXT,
            "outcome": {
                **TEXT,
                "description": "Empty until it ends; then success, failed, blocked or cancelled.",
            },
            "reason": TEXT,
            "fromPublication": {"type": ["integer", "null"]},
            "publication": {"type": ["integer", "null"]},
            "rows": {"type": "object", "additionalProperties": NUMBER},
            "bytes": NUMBER,
            "sha256": TEXT,
            "file": TEXT,
            "startedBy": TEXT,
            "startedAt": MOMENT,
            "endedAt": MOMENT,
            "fetchedAt": MOMENT,
            "nextAttemptAt": MOMENT,
            "href": {**TEXT, "format": "uri"},
        },
    },
    "Deliveries": {
        "type": "object",
        "required": ["deliveries"],
        "properties": {"deliveries": {"type": "array", "items": {"$ref": "#/components/schemas/Delivery"}}},
    },
}
