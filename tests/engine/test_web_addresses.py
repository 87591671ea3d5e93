"""Which addresses may stand in the catalogue: whole, encrypted on the way, and without tricks."""

import pytest

from rollbook.engine.web_addresses import BadRedirect, BadWebAddress, redirect_uris, web_address

GOOD = [
    "https://app.example",
    "https://app.example:8443/start?from=hub&x=%20",
    "http://localhost:3000/back",
    "http://127.0.0.1/back",
    "http://[::1]:8080/back",
]
BAD = [
    "http://app.example/back",
    "app.example/back",
    "//app.example/back",
    "javascript:alert(1)",
    "data:text/html,hello",
    "https://user@app.example/",
    "https://user:word@app.example/",
    "https:///back",
    "https://app.example/a b",
    "https://app.example\\@evil.example/",
    "https://app.example:99999999/",
    "https://[::1/",
    "http://localhost.evil.example/",
    'https://app.example/"onclick=',
    "https://app.example/" + "a" * 2000,
]


@pytest.mark.parametrize("address", GOOD)
def test_a_whole_encrypted_address_is_taken(address: str):
    assert web_address(f" {address} ") == address
    assert redirect_uris([address]) == [address]


@pytest.mark.parametrize("address", BAD)
def test_any_other_is_refused(address: str):
    with pytest.raises(BadWebAddress):
        web_address(address)
    with pytest.raises(BadRedirect):
        redirect_uris([address])


@pytest.mark.parametrize("address", ["https://app.example/#here", "https://*.app.example/"])
def test_a_redirect_address_is_one_address_without_a_fragment(address: str):
    with pytest.raises(BadRedirect):
        redirect_uris([address])


def test_redirect_addresses_stand_once_each_and_empty_lines_are_no_matter():
    assert redirect_uris([GOOD[0], "", GOOD[1], GOOD[0]]) == [GOOD[0], GOOD[1]]
    assert web_address("  ") == ""
    with pytest.raises(BadRedirect, match="more than 20"):
        redirect_uris([f"https://app.example/{number}" for number in range(21)])
