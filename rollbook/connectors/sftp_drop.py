"""SFTP drop: a login on our own SFTP server by which a student information system puts its files here. What the login may do, and who it is.

The server itself is rollbook/sftp; nothing is fetched.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import asyncssh
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from rollbook.connectors.contract import BadSetting, Connector, Filled, Option, Secrets, Settings
from rollbook.connectors.filled import lines, number, text

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,31}")
SHORTEST_PASSWORD = 12
SMALLEST_RSA = 2048
HASHER = PasswordHasher()
# The hash of a password that nobody has: trying it takes as long as trying any other. Written out, for every start would pay for it.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$wE6MlC6Mo528lPNhjiy1uw$am/fCBbxsPqRHPVP0vv3imey+WrQptBueEHCXYh8/DQ"

OPTIONS = (
    Option(
        "login",
        "Login",
        "The name to sign in with: 3 to 32 small letters, digits, dots, dashes or underscores; one of its kind"
        " in this installation.",
        required=True,
    ),
    Option(
        "password",
        "Password",
        "At least 12 characters; kept as a hash. Leave it out where the login has SSH keys.",
        secret=True,
    ),
    Option("keys", "SSH public keys", "One a line, as in a .pub file (ssh-ed25519 AAAA…).", lines=True),
    Option(
        "allow",
        "Allowed addresses",
        "Addresses or networks this login may come from, one a line (203.0.113.7 or 203.0.113.0/24)."
        " None listed: from anywhere.",
        lines=True,
    ),
    Option(
        "most_megabytes",
        "Largest delivery in MB",
        "What an upload, and all files together, may have.",
        "2048",
    ),
    Option(
        "quiet_seconds",
        "Quiet seconds",
        "CSV files that come one by one without a manifest are a delivery once nothing came for this long.",
        "60",
    ),
)


@dataclass(frozen=True)
class Drop:
    """A drop login. `most` is in bytes, `quiet` in seconds; keys are lines of the form `algorithm base64`."""

    login: str
    password_hash: str
    keys: tuple[str, ...]
    allowed: tuple[IPv4Network | IPv6Network, ...]
    most: int
    quiet: int

    @classmethod
    def of(cls, settings: Settings, secrets: Secrets) -> "Drop":
        """From what `checked` gave."""
        return cls(
            settings["login"],
            secrets.get("password_hash", ""),
            tuple(settings["keys"]),
            tuple(ip_network(one) for one in settings["allow"]),
            settings["most_megabytes"] << 20,
            settings["quiet_seconds"],
        )

    def lets_in(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether the login may come from this address."""
        mapped = getattr(address, "ipv4_mapped", None) or address
        return not self.allowed or any(mapped in network for network in self.allowed)

    def has_key(self, key: asyncssh.SSHKey) -> bool:
        """Whether this public key is one of the login's."""
        return any(asyncssh.import_public_key(line) == key for line in self.keys)


def password_fits(drop: Drop | None, password: str) -> bool:
    """Whether the password is the login's. It takes equally long for a login that does not exist or has no password."""
    expected = drop.password_hash if drop else ""
    try:
        return bool(expected) & HASHER.verify(expected or NOBODY, password)
    except (Argon2Error, InvalidHashError):
        return False


def checked(settings: Settings, secrets: Secrets) -> Filled:
    """What is kept of a drop login; a password that was filled in becomes its hash."""
    login = text(settings, "login")
    if not LOGIN.fullmatch(login):
        raise BadSetting(
            "A login has 3 to 32 small letters, digits, dots, dashes or underscores, and begins with a letter or digit."
        )
    keys = [_key(line) for line in lines(settings, "keys")]
    kept = _password(secrets)
    if not keys and not kept:
        raise BadSetting("A login needs a password or an SSH key to sign in with.")
    return {
        "login": login,
        "keys": keys,
        "allow": [_network(line) for line in lines(settings, "allow")],
        "most_megabytes": number(settings, OPTIONS, "most_megabytes", 1, 32_768),
        "quiet_seconds": number(settings, OPTIONS, "quiet_seconds", 1, 86_400),
    }, kept


def _key(line: str) -> str:
    """The key as it is kept. Raises BadSetting for a private key, for what is no key, and for one too weak."""
    if "PRIVATE KEY" in line:
        raise BadSetting(
            "This is a private key, which should never leave its owner. Give the public one (.pub)."
        )
    try:
        key = asyncssh.import_public_key(line)
    except (asyncssh.KeyImportError, ValueError) as fault:
        raise BadSetting(
            f"'{line[:30]}…' is not an SSH public key: it looks like ssh-ed25519 AAAA…"
        ) from fault
    algorithm = key.get_algorithm()
    bits = getattr(key.pyca_key, "key_size", 0)
    if algorithm == "ssh-dss" or (algorithm == "ssh-rsa" and bits < SMALLEST_RSA):
        raise BadSetting(
            f"The key {key.get_fingerprint()} is too weak. Make an ed25519 key, or RSA of 3,072 bits."
        )
    return " ".join(line.split()[:3])


def _network(line: str) -> str:
    try:
        return str(ip_network(line, strict=False))
    except ValueError as fault:
        raise BadSetting(f"'{line}' is neither an address nor a network (203.0.113.0/24).") from fault


def _password(secrets: Secrets) -> Secrets:
    password = secrets.get("password", "")
    if not password:
        return {"password_hash": secrets["password_hash"]} if secrets.get("password_hash") else {}
    if len(password) < SHORTEST_PASSWORD:
        raise BadSetting(f"A password has at least {SHORTEST_PASSWORD} characters.")
    return {"password_hash": HASHER.hash(password)}


def tested(settings: Settings, secrets: Secrets) -> list[str]:
    """What the login may do, in words: there is nobody to call."""
    drop = Drop.of(settings, secrets)
    ways = ["its password"] if drop.password_hash else []
    ways += [f"the key {asyncssh.import_public_key(line).get_fingerprint()}" for line in drop.keys]
    whence = ", ".join(str(network) for network in drop.allowed) or "anywhere"
    return [f"{drop.login} can sign in with {' or '.join(ways)}.", f"It may come from {whence}."]


SFTP_DROP = Connector("sftp_drop", "SFTP: they bring it", OPTIONS, checked, None, tested)
