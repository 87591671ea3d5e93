"""What stands before every door: probes, the public address, the headers."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from rollbook.address import PublicAddress


def test_the_process_says_that_it_is_alive_whatever_host_it_is_asked_by(client: Client):
    assert client.get("/livez", headers={"host": "10.0.0.7"}).content == b"alive\n"


def test_a_migrated_installation_is_ready(db, client: Client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (200, b"ready\n")


def test_an_unknown_host_is_refused(db, client: Client):
    assert client.get("/anything", headers={"host": "evil.example"}).status_code == 400


def test_absolute_addresses_are_the_public_ones(settings):
    settings.PUBLIC_URL = "https://roster.example.org:8443"
    settings.ALLOWED_HOSTS = ["roster.example.org", "localhost"]

    def door(request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{request.build_absolute_uri('/page')} {request.is_secure()}")

    answer = PublicAddress(door)(RequestFactory().get("/", headers={"host": "localhost:8000"}))
    assert answer.content == b"https://roster.example.org:8443/page True"


@pytest.mark.parametrize("header", ["x-content-type-options", "x-frame-options", "content-security-policy"])
def test_every_page_carries_the_protecting_headers(db, client: Client, header: str):
    assert header in client.get("/no-such-page").headers


def test_no_page_may_run_scripts_or_styles_but_our_files(db, client: Client):
    policy = client.get("/no-such-page").headers["content-security-policy"]
    assert "script-src 'self';" in policy + ";"
    assert "style-src 'self';" in policy + ";"
    assert "unsafe" not in policy
