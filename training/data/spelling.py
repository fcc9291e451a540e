"""How names are spelled: what a person reads as the same text, in one form."""

import unicodedata

INVISIBLE = {ord(letter): None for letter in "\u00ad\u200b\u2060\ufeff"}
"""Soft hyphen, zero-width space, word joiner, byte order mark: nobody sees them."""


def clean(text: str) -> str:
    """Composed (NFC), without invisible letters, with single plain spaces inside and none around.

    Example: 'Ku\u0308ste\u00a0 1 ' gives 'Küste 1'.
    """
    if text.isascii() and text.isalnum():
        return text
    return unicodedata.normalize("NFC", " ".join(text.translate(INVISIBLE).split()))


def show(text: str) -> str:
    """The text in quotes, with everything visible that `clean` would change."""
    return ascii(text) if unicodedata.normalize("NFC", text) != text else repr(text)
