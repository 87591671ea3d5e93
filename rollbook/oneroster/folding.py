"""The one rule for comparing text without case. Stored twins, filters and searches all go by it."""

import unicodedata


def fold(text: str) -> str:
    """`text` as it is compared without case: NFC, casefolded, NFC again (casefolding may undo composition)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
