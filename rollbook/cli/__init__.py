"""The command line: one file per verb; translates and decides nothing. Importing it sets Django up, so that verbs may name models."""

import os
import sys

import django

from rollbook.early import settings_of

os.environ |= settings_of(sys.argv[1:], dict(os.environ))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()
