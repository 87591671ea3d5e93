"""The filter that says what a sync run wrote down of its end."""

from django import template

from rollbook.console.organization import run_words as words
from rollbook.store.models import SyncRun

register = template.Library()


@register.filter
def run_words(run: SyncRun) -> str:
    """Its message, in the reader's language."""
    return words.run_words(run)
