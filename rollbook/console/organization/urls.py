"""The routes of an organization's pages and of a product's support. Each section belongs to the module it names."""

from django.urls import URLPattern, URLResolver, path

from rollbook.console.organization import (
    home,
    rostering,
    signing_in,
    signing_in_attempts,
    signing_in_reviews,
)

organization: list[URLPattern | URLResolver] = [
    # Home, settings
    path("", home.show_organization, name="organization"),
    path("settings", home.show_settings, name="organization-settings"),
    # Rostering: its state at a glance, options
    path("rostering", rostering.show_rostering, name="rostering"),
    # Setting up: the wizard
    # Mapping
    # Preview, progress, result, history
    # Members, sites, classes and groups
    # User import, resync
    # Settings of a sync, holds, cases
    # Administrators
    # Sign-in of members
    path("sign-in", signing_in.show_providers, name="sign-in"),
    path("sign-in/add", signing_in.choose_preset, name="sign-in-add"),
    path("sign-in/add/<slug:preset>", signing_in.add_provider, name="sign-in-add-by"),
    path("sign-in/<int:provider_id>", signing_in.show_provider, name="sign-in-provider"),
    path("sign-in/<int:provider_id>/switch", signing_in.switch_provider, name="sign-in-switch"),
    path("sign-in/<int:provider_id>/remove", signing_in.remove_provider, name="sign-in-remove"),
    path("sign-in/<int:provider_id>/test", signing_in.test_provider, name="sign-in-test"),
    path("sign-in/<int:provider_id>/tested", signing_in.show_tested, name="sign-in-tested"),
    path("sign-in/reviews", signing_in_reviews.show_reviews, name="sign-in-reviews"),
    path("sign-in/reviews/<int:review_id>", signing_in_reviews.decide, name="sign-in-decide"),
    path("sign-in/attempts", signing_in_attempts.show_attempts, name="sign-in-attempts"),
    path("sign-in/attempts/<slug:reference>", signing_in_attempts.show_attempt, name="sign-in-attempt"),
    path(
        "sign-in/members/<int:member_id>/<int:identity_id>/end",
        signing_in_reviews.end_identity,
        name="sign-in-identity-end",
    ),
]

product: list[URLPattern | URLResolver] = [
    # Support
]
