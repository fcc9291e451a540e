"""How names are spelled: what a person reads as the same text, in one form."""

import unicodedata


class _Visible(dict[int, int | None]):
    """Letters for `str.translate`: those of Unicode's category Cf are left out, each looked up once."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.category(chr(code)) == "Cf" else code
        return self[code]


_VISIBLE = _Visible()
"""Soft hyphen, zero-width letters, marks of direction, byte order mark: nobody sees them."""


def clean(text: str) -> str:
    """Composed (NFC), without invisible letters, with single plain spaces inside and none around.

    Example: 'Ku\u0308ste\u00a0 1 ' gives 'Küste 1'.
    """
    if text.isascii() and text.isalnum():
        return text
    return unicodedata.normalize("NFC", " ".join(text.translate(_VISIBLE).split()))


def show(text: str) -> str:
    """The text in quotes, with everything visible that `clean` would change."""
    return ascii(text) if unicodedata.normalize("NFC", text) != text else repr(text)
