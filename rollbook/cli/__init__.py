"""The command line: one file per verb; translates and decides nothing. Importing it sets Django up, so that verbs may name models."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()
