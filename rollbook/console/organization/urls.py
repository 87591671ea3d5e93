"""The routes of an organization's pages and of a product's support. Each section belongs to the module it names."""

from django.urls import URLPattern, URLResolver, path, re_path

from rollbook.console.organization import (
    administrators,
    cases,
    connecting,
    explaining,
    groups,
    help,
    history,
    holds,
    home,
    hubs,
    inviting,
    mapping,
    member,
    members,
    preview,
    proving,
    records,
    resync,
    rostering,
    running,
    settings,
    signing_in,
    signing_in_attempts,
    signing_in_reviews,
    sites,
    source,
    support,
    timing,
    user_import,
    walking,
)
from rollbook.console.views import own_sign_in, requiring

organization: list[URLPattern | URLResolver] = [
    # Home, settings
    path("", home.show_organization, name="organization"),
    path("settings", home.show_settings, name="organization-settings"),
    path("settings/second-step", requiring.require_in_organization, name="organization-second-step"),
    path("settings/own-sign-in", own_sign_in.show_in_organization, name="organization-own-sign-in"),
    path("settings/own-sign-in/turn", own_sign_in.turn_in_organization, name="organization-own-sign-in-turn"),
    path("settings/own-sign-in/test", own_sign_in.test_in_organization, name="organization-own-sign-in-test"),
    # Rostering: its state at a glance, options
    path("rostering", rostering.show_rostering, name="rostering"),
    path("rostering/help", help.ask_help, name="ask-help"),
    path("rostering/<int:connection_id>", rostering.show_overview, name="sync-overview"),
    path("rostering/<int:connection_id>/now", rostering.sync_now, name="sync-now"),
    path("rostering/<int:connection_id>/pause", rostering.pause, name="sync-pause"),
    path("rostering/<int:connection_id>/go-on", rostering.go_on, name="sync-go-on"),
    path("rostering/<int:connection_id>/disconnect", rostering.disconnect, name="sync-disconnect"),
    path("rostering/<int:connection_id>/again", rostering.request_again, name="sync-again"),
    # Auto-sync: its times and days
    path("rostering/<int:connection_id>/auto", timing.show_auto, name="sync-auto"),
    path("rostering/<int:connection_id>/auto/zone", timing.set_zone, name="sync-zone"),
    path("rostering/<int:connection_id>/auto/days", timing.add_days, name="sync-days-add"),
    path(
        "rostering/<int:connection_id>/auto/days/<int:days_id>/remove",
        timing.remove_days,
        name="sync-days-remove",
    ),
    # Setting up: the wizard
    path("rostering/add", connecting.choose_source, name="sync-setup"),
    path("rostering/add/help", connecting.show_help, name="sync-setup-help"),
    path("rostering/add/district", inviting.invite, name="sync-invite"),
    path("rostering/add/district/own", inviting.connect_own, name="sync-invite-own"),
    path("rostering/add/by/<slug:way>", proving.set_out, name="sync-connect-by"),
    path("rostering/add/proved", proving.show_proved, name="sync-proved"),
    path("rostering/add/<slug:source>", connecting.connect, name="sync-connect"),
    path(
        "rostering/invitations/<int:invitation_id>/connect", inviting.connect, name="sync-invitation-connect"
    ),
    path(
        "rostering/invitations/<int:invitation_id>/there",
        inviting.sign_in_there,
        name="sync-invitation-there",
    ),
    path(
        "rostering/invitations/<int:invitation_id>/withdraw",
        inviting.withdraw,
        name="sync-invitation-withdraw",
    ),
    path("rostering/<int:connection_id>/test", connecting.test, name="sync-test"),
    path("rostering/<int:connection_id>/drop", connecting.drop, name="sync-drop"),
    path("rostering/<int:connection_id>/preset", connecting.choose_preset, name="sync-preset"),
    path("rostering/<int:connection_id>/first", connecting.first_settings, name="sync-first"),
    # Mapping
    path("rostering/<int:connection_id>/schools", mapping.show_schools, name="sync-schools"),
    path("rostering/<int:connection_id>/schools/map", mapping.map_schools, name="sync-schools-map"),
    path("rostering/<int:connection_id>/schools/split", mapping.split_school, name="sync-schools-split"),
    path(
        "rostering/<int:connection_id>/schools/unmatched",
        mapping.say_unmatched,
        name="sync-schools-unmatched",
    ),
    path("rostering/<int:connection_id>/look", mapping.look, name="sync-look"),
    path("rostering/<int:connection_id>/roles", mapping.map_roles, name="sync-roles"),
    path("rostering/<int:connection_id>/classes", mapping.map_classes, name="sync-classes"),
    path("rostering/<int:connection_id>/classes/group", mapping.choose_group, name="sync-classes-group"),
    path("rostering/<int:connection_id>/mapped", mapping.done, name="sync-mapped"),
    # Preview, progress, result, history
    path("rostering/<int:connection_id>/runs", history.show_runs, name="sync-runs"),
    path("rostering/<int:connection_id>/runs/<int:run_id>", running.show_run, name="sync-run"),
    path(
        "rostering/<int:connection_id>/runs/<int:run_id>/events",
        running.stream_events,
        name="sync-run-events",
    ),
    path("rostering/<int:connection_id>/runs/<int:run_id>/now", running.show_now, name="sync-run-now"),
    path(
        "rostering/<int:connection_id>/runs/<int:run_id>/cancel", running.cancel_run, name="sync-run-cancel"
    ),
    path(
        "rostering/<int:connection_id>/runs/<int:run_id>/resume", running.resume_run, name="sync-run-resume"
    ),
    path("rostering/<int:connection_id>/runs/<int:run_id>/retry", running.retry_run, name="sync-run-retry"),
    path("rostering/<int:connection_id>/runs/<int:run_id>/undo", running.undo_run, name="sync-run-undo"),
    path(
        "rostering/<int:connection_id>/runs/<int:run_id>/records",
        records.show_records,
        name="sync-run-records",
    ),
    path(
        "rostering/<int:connection_id>/runs/<int:run_id>/records.csv",
        records.download_records,
        name="sync-run-records-csv",
    ),
    path(
        "rostering/<int:connection_id>/runs/<int:run_id>/preview", preview.show_preview, name="sync-preview"
    ),
    path("rostering/<int:connection_id>/runs/<int:run_id>/begin", preview.begin, name="sync-begin"),
    path("rostering/<int:connection_id>/runs/<int:run_id>/anew", preview.anew, name="sync-preview-anew"),
    path("rostering/<int:connection_id>/runs/<int:run_id>/unmap", preview.unmap, name="sync-preview-unmap"),
    path("rostering/<int:connection_id>/explain/<slug:kind>", explaining.show_explained, name="sync-explain"),
    # Members, sites, classes and groups
    path("members", members.show_members, name="members"),
    path("members.csv", members.download_members, name="members-csv"),
    path("members/add", members.add_member, name="member-add"),
    path("members/<int:member_id>", member.show_member, name="member"),
    path("members/<int:member_id>/history", member.show_history, name="member-history"),
    path("members/<int:member_id>/edit", member.edit_member, name="member-edit"),
    path("members/<int:member_id>/follow", member.follow, name="member-follow"),
    path("members/<int:member_id>/site", member.change_site, name="member-site"),
    path("members/<int:member_id>/resync", member.resync, name="member-resync"),
    path("members/<int:member_id>/turn/<slug:turn>", member.turn_member, name="member-turn"),
    path("groups", groups.show_groups, name="groups"),
    path("groups/add", groups.add_group, name="group-add"),
    path("groups/<int:group_id>", groups.show_group, name="group"),
    path("groups/<int:group_id>/title", groups.rename, name="group-title"),
    path("groups/<int:group_id>/put-in", groups.put_in, name="group-put-in"),
    path("groups/<int:group_id>/take-out", groups.take_out, name="group-take-out"),
    path("groups/<int:group_id>/turn/<slug:turn>", groups.turn_group, name="group-turn"),
    path("sites", sites.show_sites, name="sites"),
    path("sites/add", sites.add_site, name="site-add"),
    path("sites/<int:site_id>", sites.show_site, name="site"),
    path("sites/<int:site_id>/turn/<slug:turn>", sites.turn_site, name="site-turn"),
    # User import, resync
    path("rostering/<int:connection_id>/walk/<int:run_id>", walking.show_walk, name="sync-walk"),
    path("rostering/<int:connection_id>/import", user_import.show_candidates, name="sync-candidates"),
    path("rostering/<int:connection_id>/import/ask", user_import.ask_again, name="sync-candidates-ask"),
    path("rostering/<int:connection_id>/import/one", user_import.import_one, name="sync-candidate"),
    path("rostering/<int:connection_id>/import/many", user_import.import_many, name="sync-bulk-import"),
    path(
        "rostering/<int:connection_id>/import/<int:run_id>",
        user_import.show_imported,
        name="sync-imported",
    ),
    path("rostering/<int:connection_id>/resync", resync.resync, name="sync-resync"),
    path("rostering/<int:connection_id>/resync/<int:run_id>", resync.show_resynced, name="sync-resynced"),
    # Settings of a sync, holds, cases
    path("rostering/<int:connection_id>/holds", holds.show_holds, name="sync-holds"),
    path("rostering/<int:connection_id>/holds/<int:hold_id>", holds.show_hold, name="sync-hold"),
    path("rostering/<int:connection_id>/holds/<int:hold_id>/decide", holds.decide, name="sync-hold-decide"),
    path("rostering/<int:connection_id>/cases", cases.show_cases, name="sync-cases"),
    path("rostering/<int:connection_id>/cases/<int:case_id>", cases.show_case, name="sync-case"),
    path("rostering/<int:connection_id>/cases/<int:case_id>/merge", cases.merge, name="sync-case-merge"),
    path(
        "rostering/<int:connection_id>/merges/<int:merge_id>/undo", cases.undo_merge, name="sync-merge-undo"
    ),
    path("rostering/<int:connection_id>/settings", settings.show_sync_settings, name="sync-settings"),
    path("rostering/<int:connection_id>/settings/source", source.show_source, name="sync-source"),
    path("rostering/<int:connection_id>/settings/source/test", source.test_source, name="sync-source-test"),
    path(
        "rostering/<int:connection_id>/settings/changes/<int:run_id>/withdraw",
        settings.withdraw_change,
        name="sync-settings-withdraw",
    ),
    path(
        "rostering/<int:connection_id>/settings/<str:section>",
        settings.edit_section,
        name="sync-settings-section",
    ),
    # Administrators
    path("administrators", administrators.show_administrators, name="administrators"),
    path("administrators/invite", administrators.invite, name="administrator-invite"),
    path("administrators/<int:administrator_id>", administrators.change_role, name="administrator"),
    path("administrators/<int:administrator_id>/let-go", administrators.let_go, name="administrator-let-go"),
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
    path("support", support.show_support, name="support"),
    path("support/questions/<int:number>", support.answer, name="support-answer"),
    path("support/hubs", hubs.show_hubs, name="support-hubs"),
    path("support/hubs/add/<slug:preset>", hubs.add_hub, name="support-hub-add"),
    path("support/hubs/<int:hub_id>", hubs.show_hub, name="support-hub"),
    path("support/hubs/<int:hub_id>/remove", hubs.remove_hub, name="support-hub-remove"),
    path("support/<int:connection_id>", support.show_connection, name="support-connection"),
    re_path(
        r"^support/(?P<connection_id>\d{1,18})/(?P<turn>activate|pause)$",
        support.turn_connection,
        name="support-turn",
    ),
    path("support/<int:connection_id>/switch", support.switch, name="support-switch"),
    path("support/<int:connection_id>/switch/<int:run_id>", support.approve_switch, name="support-approve"),
    path("support/<int:connection_id>/look", support.give_reason, name="support-look"),
    path("support/<int:connection_id>/people", support.show_people, name="support-people"),
]
