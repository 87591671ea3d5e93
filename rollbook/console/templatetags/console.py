"""Tags of the console's templates: signs from our sheet of icons, form controls in our look, moments in the reader's format."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django import template
from django.forms import BoundField, Select
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from rollbook.console import dates, saying
from rollbook.console.access import Act
from rollbook.console.words import vocabulary_words
from rollbook.flows import break_glass, second_steps
from rollbook.store.models import BreakGlassUse

register = template.Library()

SHOWN_ALARMS = 20


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """A sign of static/console/icons.svg. It never says anything alone: words stand beside it."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        classes,
        static("console/icons.svg"),
        name,
    )


@register.filter
def control(field: BoundField) -> SafeString:
    """The field's input in our look; what is wrong with it is named to those who do not see it."""
    look = "form-select" if isinstance(field.field.widget, Select) else "form-control"
    attributes: dict[str, Any] = {"class": f"{look} is-invalid" if field.errors else look}
    if field.errors:
        attributes["aria-describedby"] = f"{field.auto_id}_errors"
    # The label says it; a second time inside the box it would only be in the way. What allauth adds below stands in our pages.
    field.field.widget.attrs.pop("placeholder", None)
    field.help_text = field.field.help_text = ""
    return field.as_widget(attrs=attributes)


@register.simple_tag
def moment(at: datetime | None) -> SafeString | str:
    """A moment in the district's zone as the reader writes it, with the zone's name to be sure."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        local.tzname() or "",
        dates.moment_text(at),
    )


@register.simple_tag
def when(milliseconds: int | None) -> SafeString | str:
    """The same of milliseconds UTC, as access rows have them."""
    return "" if milliseconds is None else moment(datetime.fromtimestamp(milliseconds / 1000, UTC))


@register.simple_tag
def days(first: str | None, last: str | None) -> str:
    """The days on which something holds: from the one to the other."""
    return dates.days_words(first, last)


@register.filter
def dated(sentence: str | None) -> str:
    """A sentence of ours with its days as the reader writes them."""
    return dates.dated(sentence)


@register.simple_tag
def passkeys_work() -> bool:
    """Whether browsers let passkeys be used at the address of this installation."""
    return second_steps.passkeys_work()


@register.simple_tag(takes_context=True)
def alarms(context: Any) -> list[BreakGlassUse]:
    """The uses of break-glass accounts that who looks at this page could acknowledge: only installation operators are told of them."""
    reach = getattr(context.get("request"), "reach", None)
    return list(break_glass.not_acknowledged()[:SHOWN_ALARMS]) if reach and reach.is_installation else []


@register.simple_tag(takes_context=True)
def may(context: Any, act: str) -> bool:
    """Whether who looks at this page may do the act, of the page's organization or district or, without one, of the installation."""
    request = context.get("request")
    if organization := getattr(request, "organization", None):
        return request.product_reach.may(Act[act], organization)
    reach, district = getattr(request, "reach", None), getattr(request, "district", None)
    if reach is None:
        return False
    return reach.may(Act[act], district.pk) if district else reach.may_here(Act[act])


@register.filter
def said(sentence: Any) -> str:
    """A sentence of another storey, such as what a code of a finding means or why a run ended, in the reader's language."""
    return saying.said(sentence)


@register.filter
def worded(words: Iterable[str]) -> str:
    """Words of a vocabulary, such as roles, in plain words."""
    return ", ".join(str(vocabulary_words(word)) for word in words)


@register.filter
def localized(number: int | None) -> str:
    """A whole number as the reader writes it, with separators."""
    return number_format(number, force_grouping=True) if number is not None else ""
