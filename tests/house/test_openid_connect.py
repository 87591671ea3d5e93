"""The tables of checks in docs/reference/openid-connect.md name tests that there are, and all that the plans for a client ask."""

import re

from tests.house.source import ROOT

PAGE = ROOT / "docs" / "reference" / "openid-connect.md"
AS_A_PROVIDER = ("tests/console/test_broker.py", "tests/flows/test_broker.py")
AS_A_CLIENT = ("tests/connectors/test_openid_connect.py", "tests/console/test_entering.py")
PLANS = {
    "basic": {
        "", "invalid-iss", "missing-sub", "invalid-aud", "missing-iat", "kid-absent-single-jwks", "kid-absent-multiple-jwks",
        "idtoken-sig-rs256", "idtoken-sig-none", "invalid-sig-rs256", "userinfo-invalid-sub", "nonce-invalid", "scope-userinfo-claims",
        "client-secret-basic",
    },
    "config": {
        "discovery-openid-config", "discovery-jwks-uri-keys", "discovery-issuer-mismatch", "idtoken-sig-none",
        "signing-key-rotation-just-before-signing", "signing-key-rotation",
    },
}  # fmt: skip
"""The modules of oidcc-client-basic-certification-test-plan and oidcc-client-config-certification-test-plan, behind `oidcc-client-test`.

Source: the Foundation's conformance suite, OIDCCClientBasicTestPlan and OIDCCClientConfigTestPlan.
"""


def test_every_check_that_is_told_of_has_its_test():
    for text, files in zip(parts(), (AS_A_PROVIDER, AS_A_CLIENT), strict=True):
        sources = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in files)
        told = re.findall(r"`(test_\w+)(?:\[([^]]+)\])?`", text)
        there = set(re.findall(r"^def (test_\w+)", sources, re.M))
        assert len(told) > 20
        assert {name for name, _ in told} <= there
        assert [case for _, case in told if case and f'"{case}"' not in sources] == []


def test_every_check_of_the_plans_for_a_client_is_told_of():
    _, text = parts()
    told = set(re.findall(r"^\| oidcc-client-test(?:-([\w-]+))? \|", text, re.M))
    assert set.union(*PLANS.values()) <= told


def parts() -> list[str]:
    """What the page says of Rollbook as a provider, and as a client."""
    return PAGE.read_text(encoding="utf-8").split("\n## As a client\n")
