"""What a drop login may be, and how its password is kept."""

import re
import subprocess
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from rollbook.connectors.contract import BadSetting
from rollbook.connectors.sftp_drop import HASHER, NOBODY, SFTP_DROP, Drop, checked, password_fits

SECRET = {"password": "correct horse battery"}


def refused(words: str) -> Any:
    return pytest.raises(BadSetting, check=lambda refusal: bool(re.search(words, refusal.words)))


def public_key(folder: Path, kind: str, bits: str) -> str:
    file = folder / kind
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-f", str(file)], check=True)
    return file.with_suffix(".pub").read_text()


def test_a_password_is_kept_as_a_hash_and_still_fits():
    settings, secrets = checked({"login": "riverbend"}, SECRET)
    assert "correct horse" not in f"{settings}{secrets}"
    drop = Drop.of(settings, secrets)
    assert password_fits(drop, "correct horse battery")
    assert not password_fits(drop, "wrong horse battery")
    assert not password_fits(None, "correct horse battery")


def test_checking_what_is_kept_again_changes_nothing(tmp_path):
    key = public_key(tmp_path, "ed25519", "256")
    kept = checked({"login": "riverbend", "keys": key, "allow": "192.0.2.0/24\n2001:db8::/32"}, SECRET)
    assert checked(*kept) == kept


def test_a_key_alone_is_enough_and_then_no_password_fits(tmp_path):
    settings, secrets = checked({"login": "riverbend", "keys": public_key(tmp_path, "ed25519", "256")}, {})
    assert not password_fits(Drop.of(settings, secrets), "")
    assert "the key SHA256:" in SFTP_DROP.tested(settings, secrets)[0]


def test_the_allow_list_knows_both_families_and_mapped_addresses():
    drop = Drop.of(*checked({"login": "riverbend", "allow": "192.0.2.0/24\n2001:db8::1"}, SECRET))
    assert drop.lets_in(ip_address("192.0.2.77"))
    assert drop.lets_in(ip_address("::ffff:192.0.2.77"))
    assert drop.lets_in(ip_address("2001:db8::1"))
    assert not drop.lets_in(ip_address("192.0.3.1"))
    assert not drop.lets_in(ip_address("2001:db8::2"))


@pytest.mark.parametrize(
    ("given", "secrets", "words"),
    [
        ({"login": "River Bend"}, SECRET, "A login has"),
        ({"login": "x"}, SECRET, "A login has"),
        ({}, {}, "needs a password or an SSH key"),
        ({}, {"password": "short"}, "at least 12 characters"),
        ({"allow": "riverbend.example"}, SECRET, "neither an address nor a network"),
        ({"keys": "ssh-ed25519 nonsense"}, {}, "is not an SSH public key"),
        ({"keys": "-----BEGIN OPENSSH PRIVATE KEY-----"}, {}, "never leave its owner"),
        ({"quiet_seconds": "0"}, SECRET, "Quiet seconds is '0'"),
        ({"most_megabytes": "many"}, SECRET, "Largest delivery in MB is 'many'"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(given, secrets, words):
    with refused(words):
        checked({"login": "riverbend"} | given, secrets)


def test_a_weak_key_is_refused(tmp_path):
    with refused("is too weak"):
        checked({"login": "riverbend", "keys": public_key(tmp_path, "rsa", "1024")}, {})


def test_trying_the_password_of_nobody_costs_what_trying_any_other_costs():
    assert not HASHER.check_needs_rehash(NOBODY)
    assert not password_fits(None, "nobody has this password")
