"""The bytes of a table as text: what is no table is named with the way out, and the encoding is found."""

import re
import zlib
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from data.errors import InputError

_FOREIGN = (
    (b"PK\x03\x04", "a zip file, or an Excel workbook that is damaged", "unpack it, or save the sheet as CSV in UTF-8"),
    (b"PAR1", "Parquet", "let its name end in .parquet"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook", "save the sheet as CSV in UTF-8"),
    (b"%PDF", "a PDF", "export the table as CSV"),
    (b"\x1f\x8b", "packed by gzip", "unpack it, or let its name end in .csv.gz"),
)
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_RUN = re.compile(rb"[\x80-\xff]+")


class Text(NamedTuple):
    """A table's text."""

    text: str
    notice: str
    """In words, where its encoding was not UTF; else empty."""


def read_text(path: Path, kind: str, *, markup: bool = False) -> Text:
    """Reads UTF-8, UTF-16 and, where it can be nothing else of Western Europe, Windows-1252; .gz and .bz2 unpacked.

    Args:
        markup: whether JSON and XML are wanted as well.

    Raises InputError when the file is something else: JSON, a workbook, a page, bytes of an unknown encoding.
    """
    try:
        with pa.input_stream(str(path), compression="detect") as file:
            content = bytes(file.read())
    except (OSError, ValueError, zlib.error) as error:
        raise InputError(f"{kind} {path} cannot be read ({error}); save it as UTF-8 CSV or Parquet.") from error
    for start, what, remedy in _FOREIGN:
        if content.startswith(start):
            raise InputError(f"{kind} {path} cannot be read: it is {what}; {remedy}.")
    text, notice = _decode(content, path, kind)
    if not markup:
        _refuse_markup(text, path, kind)
    return Text(text, notice)


def _decode(content: bytes, path: Path, kind: str) -> tuple[str, str]:
    try:
        encoding = next((name for bom, name in _BOMS if content.startswith(bom)), _guess_utf(content))
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in content or not _is_western(content):
            raise InputError(f"{kind} {path} cannot be read ({error}); save it as UTF-8 CSV or Parquet.") from error
        text = content.decode("cp1252")
        odd = next(word for word in re.split(r"[^\w .-]+", text) if not word.isascii())
        return text, (
            f"{path} is not in UTF-8 and was read as Windows-1252, {odd!r} for example; if that is not what it should"
            " say, save the table as UTF-8"
        )
    if "\0" in text:
        raise InputError(f"{kind} {path} cannot be read: it holds zero bytes, so it is no text; save it as UTF-8 CSV.")
    return text, ""


def _guess_utf(content: bytes) -> str:
    """UTF-16 without its mark shows by every second byte being zero."""
    head = content[:200]
    if len(head) > 3 and len(head) % 2 == 0:
        if not any(head[::2]) and all(head[1::2]):
            return "utf-16-be"
        if not any(head[1::2]) and all(head[::2]):
            return "utf-16-le"
    return "utf-8"


def _is_western(content: bytes) -> bool:
    """Whether all bytes beyond ASCII are accented letters among plain ones, or no-break spaces.

    Greek and Cyrillic make whole words of such bytes, Mac and Central European letters lie below 0xC0.
    """
    runs = _RUN.findall(content)
    letters = all(byte == 0xA0 or (byte >= 0xC0 and byte not in (0xD7, 0xF7)) for run in runs for byte in run)
    return letters and all(len(run) <= 2 for run in runs)


def _refuse_markup(text: str, path: Path, kind: str) -> None:
    start = text.lstrip()[:1]
    if start in ("[", "{"):
        raise InputError(
            f"{kind} {path} cannot be read: it is JSON, not a table. Export CSV from the tool instead, one row a vote,"
            " and name its columns image, label, annotator; answers to `dc3 label-studio push` come back by"
            " `dc3 label-studio pull`."
        )
    if start == "<":
        raise InputError(f"{kind} {path} cannot be read: it is a page or XML, not a table; export it as CSV.")
