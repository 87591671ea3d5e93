"""Tags about findings: the overview on a run's page, and text of the catalogue with its `code` set as code."""

import re
from typing import Any

from django import template
from django.conf import settings
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from rollbook.console.findings import groups_of, rows_of
from rollbook.store.found import found_by
from rollbook.store.models import Run

FIRST = 10
"""Findings that a run's own page lists."""

register = template.Library()


@register.filter
def coded(text: str) -> SafeString:
    """Escapes the text; what stands in `backticks` is set as code."""
    escaped = str(conditional_escape(text))
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped))  # noqa: S308 - escaped the line before


@register.simple_tag
def validation_is_open() -> bool:
    """Whether anybody may check a package."""
    return bool(settings.VALIDATE)


@register.inclusion_tag("console/findings_overview.html", takes_context=True)
def findings_of_run(context: dict[str, Any], run: Run) -> dict[str, Any]:
    """What a run found: by code, and the gravest one by one."""
    found = found_by(run)
    return {
        "request": context["request"],
        "run": run,
        "groups": groups_of(found),
        "rows": rows_of(found.listed[:FIRST]),
        "total": found.total,
        "is_all": found.total == len(found.listed[:FIRST]),
    }
