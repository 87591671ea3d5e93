"""Whatever can be done with apps, permissions and operators can be done in the console, by a command and by a program: the table of it.

A page, a command or an address of these parts that stands in no row fails here, and so does a row that lacks a door.
"""

import functools
import re

import pytest
import typer
from django.urls import URLPattern

from rollbook.api import sync_calls
from rollbook.api.app_routes import APP_ROUTES
from rollbook.api.approval_routes import APPROVAL_ROUTES
from rollbook.api.audit_routes import AUDIT_ROUTES
from rollbook.api.catalogue_routes import CATALOGUE_ROUTES
from rollbook.api.delivery_routes import DELIVERY_ROUTES
from rollbook.api.intake import HANDLES
from rollbook.api.intake_routes import ROUTES, SCHEMAS, openapi
from rollbook.api.key_routes import KEY_ROUTES
from rollbook.api.look_routes import LOOK_ROUTES
from rollbook.api.operator_routes import OPERATOR_ROUTES
from rollbook.api.partners_routes import PARTNERS_ROUTES
from rollbook.cli.main import app
from rollbook.console import urls
from tests.house.reference import commands

WRITTEN = """
    Catalogue
    browse and search, with those in development   | catalogue app-add | catalogue list | catalogue
    enter an app                                   | catalogue-add partner-register | catalogue add, app add | enter_app
    look at an app                                 | catalogue-entry partner-app | catalogue show, app list | catalogue_app
    edit an app, its logo                          | catalogue-edit partner-edit | catalogue edit, catalogue logo | edit_catalogue_app
    take an app out                                | catalogue-remove | catalogue remove | remove_catalogue_app

    Partners
    let a company register apps                    | partners | partner add | add_partner
    see the companies                              | partners partner-kept partner-apps | partner list | partners
    see who works for one                          | partner-kept partner-developers | partner developers | developers
    invite somebody                                | partner-kept-invite partner-invite | partner invite | invite_developer
    let somebody go                                | partner-kept-let-go partner-let-go | partner let-go | let_developer_go
    see which districts added its apps             | partner-app | partner districts | partner_applications
    check an app's sanity there                    | partner-sanity partner-sanity-start | sanity run | check_sanity
    give it a key to read with                     | partner-key-make | key add | add_key
    show it the pair for OAuth 1.0a                | partner-key-show | key secret | show_secret
    make a new bearer                              | partner-bearer-renew | partner bearer | renew_bearer
    see its keys of the partner API                | partner-kept partner-keys | partner key list | partner_keys
    make one                                       | partner-kept-key-add partner-keys | partner key add | make_partner_key
    give one an end                                | partner-kept-key-end partner-key-end | partner key expire | end_partner_key
    revoke one                                     | partner-kept-key-revoke partner-key-revoke | partner key revoke | revoke_partner_key

    Applications
    see those of the district, access and all      | apps | grant list | apps
    see one                                        | app app-added | grant show | app
    add one                                        | app-add-one | grant add | add_app
    ask for one                                    | app-request | grant ask | request_app
    enable or disable it                           | app-switch | grant enable, grant disable | edit_app
    call it otherwise                              | app-rename | grant rename | edit_app
    say where it starts, and whom to ask           | app-edit | grant particulars | edit_app
    say from when on it is on the launch pad       | app-edit | grant launch | edit_app
    remove it                                      | app-remove | grant remove | remove_app

    Permissions
    see what an app may see                        | app-permissions | grant show, grant fields | permissions
    look at other permissions before saving        | app-permissions-edit | grant preview | preview_permissions
    save other permissions, days, fields           | app-permissions-edit | grant edit, grant add, grant fields | set_permissions
    copy them from another app                     | app-permissions-edit | grant copy | copy_permissions
    see every version                              | app-history | grant history | versions
    bring one back                                 | app-restore | grant restore | restore_version
    see who opted out                              | app-optouts | grant opt-outs | opt_outs
    keep a person from an app                      | app-optout-add | grant opt-out | add_opt_out
    end an opt-out                                 | app-optout-withdraw | grant opt-in | withdraw_opt_out
    see what needs a second person                 | approvals | grant approval | approval_rule
    say what needs a second person                 | approval-set | grant approval | set_approval_rule
    see what waits for one                         | approvals | grant requests | approvals
    approve, reject or withdraw it                 | approval-decide | grant approve, grant reject, grant withdraw | decide_approval

    Keys
    see an app's keys                              | app-keys app-key | key list | keys
    see where they are used, and the Tenant ID     | app-keys | key endpoints | keys
    make one                                       | app-key-add | key add | add_key
    make a new secret, the former holding on       | app-key-turn | key rotate | renew_key
    end the former secret                          | app-key-turn | key end-former | end_former_secret
    show a readable secret                         | app-key-turn | key secret | show_secret
    give it an end, and addresses it is used from  | app-key-turn | key expire, key allow | edit_key
    revoke it                                      | app-key-turn | key revoke | revoke_key

    Looking
    find a person or a class as the app sees it    | app-find app-found | find | find find_person find_class
    why is one in an app or not                    | app-explain | explain | explain
    the same of every app                          | record-apps | explain | explain_all
    check sanity                                   | app-sanity-start | sanity run | check_sanity
    see the checks                                 | app-sanity app-sanity-progress | sanity list, sanity show | sanity_checks sanity_check
    the report as CSV                              | app-sanity-csv | sanity show | sanity_csv
    see when it is checked by itself               | app-sanity | sanity schedule | sanity_plan
    check it by itself                             | app-sanity-plan | sanity schedule | set_sanity_plan
    keep exports back by it                        | app-sanity-limit | sanity limit | set_sanity_plan
    say how many it is licensed for                | app-sanity-licences | sanity licences | set_sanity_plan
    say how many it is licensed for                | app-sanity-licences | sanity licences | set_sanity_plan

    Mail to developers
    write, shown before it is sent                 | app-email | email write | write_to_developer
    see what was written                           | app-email | email list | developer_mails

    What was taken
    every call and every package                   | app-access | access history | access
    the same as CSV                                | app-access-csv | access history | access_csv
    what is shared and not read                    | app-access | access unused | unused
    who received a person                          | disclosures disclosure | access person | disclosures
    the same as CSV                                | disclosure-csv | access person | disclosures_csv
    what an app may take in a day                  | app-access | access allow | allowance
    change that                                    | app-allowance | access allow | set_allowance

    Packages
    see how an app gets them                       | app-export app-files | delivery settings, delivery options | export
    say how, and with which files and columns      | app-export app-files-text app-file-add app-file app-file-drop | delivery set | set_export
    give it none any more                          | app-export-remove | delivery remove | remove_export
    see what its files can be made of              | app-files app-file-add app-file | delivery columns | export_columns
    see the first rows of a file                   | app-file-add app-file | delivery sample | sample_files
    test the connection                            | app-export-test app-export-tested | delivery test | test_export export_test
    see the deliveries                             | app-export | delivery list | deliveries
    make one now                                   | app-deliver | delivery push | add_delivery
    see one                                        | delivery delivery-progress | delivery show | delivery
    cancel one                                     | delivery-cancel | delivery cancel | cancel_delivery
    make one for oneself                           | app-deliver delivery-package | export | add_delivery package

    Operators
    see who works in the district                  | operators | operator list | operators
    let somebody work there                        | invite | operator add | add_operator
    give them another role, other schools          | operator-role | operator change | edit_operator
    end their work                                 | operator-deactivate | operator deactivate | edit_operator
    let them in again                              | operator-reactivate | operator reactivate | edit_operator
    make a link to set a password                  | operator-password | operator reset-password | make_password_link

    Audit log
    search it                                      | audit | audit list | audit
    export it                                      | audit-export | audit export | audit_csv
    check it                                       | audit-verify | audit verify | verify_audit
    the installation's own                         | installation-audit | audit list | installation_audit
    export it                                      | installation-audit-export | audit export | installation_audit_csv
    check it                                       | installation-audit-verify | audit verify | verify_installation_audit
"""
"""An act, the pages, the commands and the operations of /api/v1 by which it is done."""

OF_THE_SERVER_ALONE = {
    "key new-field-key": "makes a key of the installation's own secrets, for its environment"
}
PARTS = {
    "app", "catalogue", "partner", "grant", "key", "email", "export", "delivery", "find", "explain", "sanity", "access", "audit",
}  # fmt: skip
"""The verbs of the command line that are about apps."""

ADDRESSES = (
    *APP_ROUTES, *APPROVAL_ROUTES, *KEY_ROUTES, *LOOK_ROUTES, *CATALOGUE_ROUTES, *PARTNERS_ROUTES, *DELIVERY_ROUTES, *AUDIT_ROUTES,
    *OPERATOR_ROUTES,
)  # fmt: skip
Row = tuple[str, list[str], list[str], list[str]]


def rows() -> list[Row]:
    cells = [[cell.strip() for cell in line.split("|")] for line in WRITTEN.splitlines() if "|" in line]
    return [(act, pages.split(), verbs.split(", "), names.split()) for act, pages, verbs, names in cells]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_act_has_all_three_doors(row: Row):
    _, pages, verbs, names = row
    assert all((pages, verbs, names))
    assert set(pages) <= set(named_pages())
    assert set(verbs) <= set(named_verbs())
    assert set(names) <= {route.name for route in ADDRESSES}


def test_no_page_about_apps_is_missing_in_the_table():
    about = {name for name, path in named_pages().items() if is_about_apps(path)}
    assert len(about) > 60
    assert about - {page for _, pages, _, _ in rows() for page in pages} == set()


def test_no_command_about_apps_is_missing_in_the_table():
    about = {verb for verb in named_verbs() if verb.split()[0] in PARTS} - set(OF_THE_SERVER_ALONE)
    assert len(about) > 60
    assert about - {verb for _, _, verbs, _ in rows() for verb in verbs} == set()


def test_no_address_about_apps_is_missing_in_the_table():
    assert {route.name for route in ADDRESSES} - {name for *_, names in rows() for name in names} == set()


def test_every_address_is_answered_and_documented_with_schemas_that_are_there():
    assert {route.name for route in ROUTES if not route.is_open} == {*HANDLES, *sync_calls.HANDLES}
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    named = {name for route in ROUTES for name in (route.schema, route.body) if name}
    referred = set(re.findall(r"#/components/schemas/(\w+)", openapi("https://roster.example").decode()))
    assert (named | referred) - set(SCHEMAS) == set()
    assert set(SCHEMAS) - named - referred == set()


def is_about_apps(path: str) -> bool:
    return path.startswith(
        ("apps", "disclosures", "audit", "catalogue", "partners", "partner/", "operators")
    ) or path.endswith("/apps$")


@functools.cache
def named_pages() -> dict[str, str]:
    """{name: how its address begins, within its part}; a partner's own begin with `partner/`."""
    found = [*urls.installation, *urls.district]
    own = {
        f"{page.name}": f"partner/{page.pattern}"
        for page in urls.partners_own
        if isinstance(page, URLPattern)
    }
    return {
        str(page.name): str(page.pattern).removeprefix("^") for page in found if isinstance(page, URLPattern)
    } | own


@functools.cache
def named_verbs() -> set[str]:
    return {
        name.removeprefix("rollbook ")
        for name, command in commands("rollbook", typer.main.get_command(app))
        if not getattr(command, "commands", None)
    }
