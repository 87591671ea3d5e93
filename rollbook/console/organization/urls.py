"""The routes of an organization's pages and of a product's support. Each section belongs to the module it names."""

from django.urls import URLPattern, URLResolver, path

from rollbook.console.organization import home, rostering
from rollbook.console.views import requiring

organization: list[URLPattern | URLResolver] = [
    # Home, settings
    path("", home.show_organization, name="organization"),
    path("settings", home.show_settings, name="organization-settings"),
    path("settings/second-step", requiring.require_in_organization, name="organization-second-step"),
    # Rostering: its state at a glance, options
    path("rostering", rostering.show_rostering, name="rostering"),
    # Setting up: the wizard
    # Mapping
    # Preview, progress, result, history
    # Members, sites, classes and groups
    # User import, resync
    # Settings of a sync, holds, cases
    # Administrators
]

product: list[URLPattern | URLResolver] = [
    # Support
]
