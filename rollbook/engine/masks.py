"""How a value is masked or replaced: the same for one record and one app at any time, another for every other app.

A mask shows a part: the first letter, the year of a date. A pseudonym shows nothing. Both are made from a key that the app's grant has
for itself, the record and the field, never from the value, so that nobody can work the value out or compare two apps.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollbook.oneroster.treatments import MASK, METADATA, METADATA_PREFIX, OMIT, SHARE, SOURCED_ID

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789"
DIGITS = "0123456789"

NAMES = frozenset(
    {
        "givenName",
        "familyName",
        "middleName",
        "preferredGivenName",
        "preferredMiddleName",
        "preferredFamilyName",
        "title",
        "name",
    }
)
NUMBERS_TO_CALL = frozenset({"sms", "phone"})

SEAL = 12
"""Bytes of an alias that say by which key it was made."""

DOMAIN = "masked.invalid"
"""No mail is ever delivered there: RFC 2606 keeps `.invalid` for this."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Masker:
    """Makes what one app sees instead of values. `key` is its own, and secret."""

    key: bytes

    def treated(self, record: Record, identity: str, treatments: Mapping[str, str]) -> Record:
        """The canonical record as the app sees it; `identity` names it for good, and is not shown. `record` itself stays as it is."""
        shown = dict(record)
        for field, treatment in treatments.items():
            if treatment == SHARE or field == SOURCED_ID:
                continue
            if field == METADATA:
                shown[METADATA] = None
            elif field.startswith(METADATA_PREFIX):
                shown[METADATA] = self._metadata(shown.get(METADATA), field, identity, treatment)
            else:
                shown[field] = self.value(record.get(field), field, identity, treatment)
        return shown

    def renamed(self, record: Record, domains: Mapping[str, str]) -> Record:
        """The record with aliases in place of ids: `domains` says which fields hold ids of which collection, one or several."""
        shown = dict(record)
        for field, domain in domains.items():
            given = record.get(field)
            if isinstance(given, list):
                shown[field] = [self.alias(one, domain) for one in given]
            elif given:
                shown[field] = self.alias(given, domain)
        return shown

    def _metadata(self, metadata: Record | None, field: str, identity: str, treatment: str) -> Record | None:
        name = field.removeprefix(METADATA_PREFIX)
        if not metadata or name not in metadata:
            return metadata
        shown = dict(metadata)
        value = self.value(shown.pop(name), field, identity, treatment)
        return shown if value is None else {**shown, name: value}

    def value(self, value: Any, field: str, identity: str, treatment: str) -> Any:
        """What stands for `value`; where there is none, none. Pseudonymised metadata is text, whatever it was."""
        if value in (None, "") or treatment == OMIT:
            return None
        if field == "birthDate":
            return turned(str(value))
        if field == "email":
            return f"{self._signs(field, identity, SIGNS, 14)}@{DOMAIN}"
        if field in NUMBERS_TO_CALL:
            return f"000{self._signs(field, identity, DIGITS, 7)}"
        first = str(value)[0] if treatment == MASK else ""
        if field in NAMES:
            made = self._signs(field, identity, LETTERS, 7)
            return first + made if first else made.capitalize()
        return first + self._signs(field, identity, SIGNS, 11)

    def alias(self, sourced_id: str, domain: str) -> str:
        """An id that stands for this one, and from which only the key leads back. `domain` is the collection whose records it names."""
        real = sourced_id.encode()
        seal = self._seal(real, domain)
        return base64.urlsafe_b64encode(seal + self._veiled(real, seal)).decode("ascii").rstrip("=")

    def real(self, alias: str, domain: str) -> str | None:
        """The id that `alias` stands for; None where it was not made by this key, as every other text."""
        try:
            sealed = base64.b64decode(alias + "=" * (-len(alias) % 4), altchars=b"-_", validate=True)
            real = self._veiled(sealed[SEAL:], sealed[:SEAL])
            return real.decode() if self._is_alias(alias, real, domain) else None
        except ValueError:
            return None

    def _is_alias(self, alias: str, real: bytes, domain: str) -> bool:
        return bool(real) and hmac.compare_digest(self.alias(real.decode(), domain), alias)

    def _seal(self, real: bytes, domain: str) -> bytes:
        return hmac.digest(self.key, f"sourcedId\0{domain}\0".encode() + real, hashlib.sha256)[:SEAL]

    def _veiled(self, text: bytes, seal: bytes) -> bytes:
        """The bytes under a veil that only key and seal make; a second time takes it off."""
        veil = hashlib.shake_256(hmac.digest(self.key, b"veil" + seal, hashlib.sha256)).digest(len(text))
        return bytes(one ^ other for one, other in zip(text, veil, strict=True))

    def _signs(self, field: str, identity: str, alphabet: str, length: int) -> str:
        digest = hmac.digest(self.key, f"{field}\0{identity}".encode(), hashlib.sha256)
        number = int.from_bytes(digest, "big")
        signs = []
        for _ in range(length):
            number, place = divmod(number, len(alphabet))
            signs.append(alphabet[place])
        return "".join(signs)


def turned(date: str) -> str:
    """A date of birth as the 1 January or the 1 September of its year, whichever came last: the school year somebody belongs to stays."""
    return f"{date[:4]}-{'09' if date[5:7] >= '09' else '01'}-01"
