"""The Django app of the console: its templates, its static files, and what happens when someone signs in."""

from importlib import import_module

from django.apps import AppConfig

from rollbook.console import saying
from rollbook.refusal import Languages


class ConsoleConfig(AppConfig):
    name = "rollbook.console"
    label = "console"

    def ready(self) -> None:
        # By name and not above: it needs models, which are not there yet when Django reads this module.
        import_module("rollbook.console.sign_in")
        # Where no language was asked for, as on the command line and by programs, sentences stay as they are written.
        Languages.say = staticmethod(saying.said)
