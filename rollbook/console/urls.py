"""The routes of the console: signing in (allauth's views under names it knows), then every page of a district."""

from allauth.account import views as allauth
from django.urls import URLPattern, URLResolver, include, path, re_path

from rollbook.console.sheets import SHEETS
from rollbook.console.views import (
    apps,
    calendar,
    changes,
    compare,
    connections,
    dashboard,
    email_domains,
    findings,
    holds,
    home,
    imports,
    limits,
    manual,
    operators,
    preparation,
    progress,
    record,
    rehearsals,
    roster,
    settings,
    snapshots,
    tokens,
    uploads,
    validate,
)
from rollbook.console.words import COLLECTIONS

collection = f"(?P<collection>{'|'.join(SHEETS)})"
by_hand = "(?P<collection>users|enrollments)"
all_collections = f"(?P<collection>{'|'.join(COLLECTIONS)})"

sign_in: list[URLPattern | URLResolver] = [
    path("sign-in", allauth.login, name="account_login"),
    path("sign-out", allauth.logout, name="account_logout"),
    path("sign-in/inactive", allauth.account_inactive, name="account_inactive"),
    path("password/change", allauth.password_change, name="account_change_password"),
    path("password/reset", allauth.password_reset, name="account_reset_password"),
    path("password/reset/sent", allauth.password_reset_done, name="account_reset_password_done"),
    path(
        "password/set/done", allauth.password_reset_from_key_done, name="account_reset_password_from_key_done"
    ),
    re_path(
        r"^password/set/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
]

district: list[URLPattern | URLResolver] = [
    path("", dashboard.show_dashboard, name="dashboard"),
    path("roster", roster.show_collections, name="roster"),
    re_path(rf"^roster/{collection}$", roster.show_collection, name="collection"),
    re_path(rf"^roster/{collection}/(?P<record_id>\d{{1,18}})$", record.show_record, name="record"),
    re_path(
        rf"^roster/{collection}/(?P<record_id>\d{{1,18}})/demographics$",
        record.show_demographics,
        name="record-demographics",
    ),
    path("manual", manual.show_manual, name="manual"),
    path("manual/choices/<slug:field>", manual.show_choices, name="manual-choices"),
    re_path(rf"^manual/{by_hand}$", manual.show_manual, name="manual-of"),
    re_path(rf"^manual/{by_hand}/add$", manual.add_record, name="manual-add"),
    re_path(rf"^manual/{by_hand}/(?P<record_id>\d{{1,18}})$", manual.edit_record, name="manual-edit"),
    re_path(
        rf"^manual/{by_hand}/(?P<record_id>\d{{1,18}})/(?P<verb>delete|restore)$",
        manual.turn_record,
        name="manual-turn",
    ),
    path("apps", apps.show_apps, name="apps"),
    path("apps/<int:grant_id>", apps.show_app, name="app"),
    path("imports", imports.show_imports, name="imports"),
    path("upload", uploads.upload, name="upload"),
    path("imports/<int:run_id>/findings", findings.show_findings, name="import-findings"),
    path("imports/<int:run_id>/findings.csv", findings.download_findings, name="import-findings-csv"),
    path("imports/<int:run_id>/findings.json", findings.download_findings_json, name="import-findings-json"),
    path("findings", findings.show_kinds, name="findings"),
    path("findings/<slug:code>", findings.show_kind, name="finding"),
    path("findings/<slug:code>/severity", findings.change_severity, name="finding-severity"),
    path("imports/<int:run_id>", imports.show_import, name="import"),
    path("imports/<int:run_id>/progress", progress.show_progress, name="import-progress"),
    path("imports/<int:run_id>/cancel", progress.cancel, name="import-cancel"),
    path("imports/<int:run_id>/decide", holds.decide, name="import-decide"),
    path("imports/<int:run_id>/apply", holds.apply_shown, name="import-apply"),
    path("imports/<int:run_id>/back", holds.plan_return, name="import-back"),
    path("imports/<int:run_id>/changes", changes.show_changes, name="import-changes"),
    path("imports/<int:run_id>/changes.csv", changes.download_changes, name="import-changes-csv"),
    path("imports/<int:run_id>/changes/<int:number>", changes.show_change, name="import-change"),
    path("imports/<int:run_id>/schools", changes.show_schools, name="import-schools"),
    path("imports/<int:run_id>/line", changes.show_line, name="import-line"),
    path("snapshots", snapshots.show_snapshots, name="snapshots"),
    path("snapshots/<int:snapshot_id>/download", snapshots.download_snapshot, name="snapshot-download"),
    path("snapshots/<int:snapshot_id>/remove", snapshots.remove_snapshot, name="snapshot-remove"),
    path("compare", compare.compare, name="compare"),
    path("connections", connections.show_connections, name="connections"),
    path("connections/add/<slug:kind>", connections.add_connection, name="connection-add"),
    path("connections/<int:connection_id>", connections.show_connection, name="connection"),
    path("connections/<int:connection_id>/test", connections.test_connection, name="connection-test"),
    path("connections/<int:connection_id>/run", connections.run_connection, name="connection-run"),
    path("connections/<int:connection_id>/remove", connections.remove_connection, name="connection-remove"),
    path("connections/<int:connection_id>/preparation", preparation.show_preparation, name="preparation"),
    path("connections/<int:connection_id>/preparation/add", preparation.add_step, name="preparation-add"),
    path(
        "connections/<int:connection_id>/preparation/decide",
        preparation.decide_steps,
        name="preparation-decide",
    ),
    path(
        "connections/<int:connection_id>/preparation/<int:number>",
        preparation.edit_step,
        name="preparation-step",
    ),
    path(
        "connections/<int:connection_id>/preparation/<int:number>/move",
        preparation.move_step,
        name="preparation-move",
    ),
    path(
        "connections/<int:connection_id>/preparation/<int:number>/back",
        preparation.bring_back,
        name="preparation-back",
    ),
    path("calendar", calendar.show_calendar, name="calendar"),
    path("calendar/days", calendar.add_span, name="span-add"),
    path("calendar/days/<int:span_id>/remove", calendar.remove_span, name="span-remove"),
    path("calendar/kept/<int:run_id>", calendar.import_kept, name="kept-import"),
    path("calendar/connections/<int:connection_id>", calendar.show_schedule, name="schedule"),
    path("calendar/rehearsals", rehearsals.show_rehearsals, name="rehearsals"),
    path("calendar/rehearsals/<int:rehearsal_id>", rehearsals.show_rehearsal, name="rehearsal"),
    path("limits", limits.show_limits, name="limits"),
    re_path(rf"^limits/{all_collections}$", limits.edit_limits, name="limits-of"),
    path("settings/email-domains", email_domains.change_email_domains, name="email-domains"),
    path("settings", settings.show_settings, name="settings"),
    path("tokens", tokens.show_tokens, name="tokens"),
    path("tokens/add", tokens.add_token, name="token-add"),
    path("tokens/<int:token_id>/revoke", tokens.revoke_token, name="token-revoke"),
    path("operators", operators.show_operators, name="operators"),
    path("operators/invite", operators.invite, name="invite"),
    path("operators/<int:operator_id>/password", operators.reset_password, name="operator-password"),
    path("operators/<int:operator_id>/deactivate", operators.deactivate, name="operator-deactivate"),
    path("operators/<int:operator_id>/reactivate", operators.reactivate, name="operator-reactivate"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.choose_district, name="home"),
    path("validate", validate.validate, name="validate"),
    path("validate/findings", validate.show_kinds, name="validate-findings"),
    path("validate/findings/<slug:code>", validate.show_kind, name="validate-finding"),
    *sign_in,
    path("districts/<int:tenant>/", include(district)),
]
