"""Who an annotator is: the owner of a personal key, or on one's own machine simply a name."""

import base64
import hashlib
import hmac
import ipaddress
import os
import secrets
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from starlette.datastructures import Headers

from data.errors import InputError, name_some
from web.refused import Refused

OWNER = ""
"""The name behind the owner's key, who sees all answers and gives none."""
LONGEST_NAME = 80


class Annotators(NamedTuple):
    """Who may answer."""

    names: dict[str, str]
    """By personal key; empty where anybody who is let in may take any name."""

    def identify(self, headers: Headers) -> str:
        """The name behind a request, OWNER for the owner; raises Refused when it has none."""
        if self.names:
            key = headers.get("authorization", "").partition(" ")[2].strip()
            found = [name for known, name in self.names.items() if hmac.compare_digest(known.encode(), key.encode())]
            if not found:
                raise Refused(401, "no_key", "open the personal link that the owner of this review gave you")
            return found[0]
        name = unquote(headers.get("x-annotator", "")).strip()
        if fault := find_name_fault(name):
            raise Refused(401, "no_name", f"your name {fault}")
        return name

    def keys(self) -> tuple[str, ...]:
        """All valid keys."""
        return tuple(self.names)


def read_annotators(names_file: Path, verdicts: Path) -> Annotators:
    """The annotators named in a file, one a line, and the owner, each with a key that stays the same after a restart.

    Keys are drawn from a secret beside the journal, made when there is none. Raises InputError on names that are none.
    """
    try:
        lines = names_file.read_text("utf-8-sig").splitlines()  # some editors put a mark before the first name
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The file of annotators {names_file} cannot be read ({error}): one name a line.") from error
    names = [line.strip() for line in lines if line.strip()]
    faults = [f"{name!r} {fault}" for name in names if (fault := find_name_fault(name))]
    faults += [f"{name!r} stands there twice" for name in sorted({name for name in names if names.count(name) > 1})]
    if not names:
        faults.append("it has no name")
    if faults:
        raise InputError(f"The file of annotators {names_file} must have one name a line: {name_some(faults)}.")
    secret = _read_secret(verdicts.with_name(f"{verdicts.name}.secret"))
    return Annotators({make_key(secret, name): name for name in (*names, OWNER)})


def find_name_fault(name: str) -> str:
    """What is wrong with a name, or nothing."""
    if not name:
        return "must not be empty"
    if len(name) > LONGEST_NAME:
        return f"must have at most {LONGEST_NAME} characters, it has {len(name)}"
    return "" if name.isprintable() else "must have printable characters only"


def make_key(secret: bytes, name: str) -> str:
    """A name's personal key: nobody can guess it who lacks the secret."""
    return base64.urlsafe_b64encode(hmac.digest(secret, name.encode(), hashlib.sha256)[:18]).decode()


def is_local_host(host: str | None) -> bool:
    """Whether a Host header names this machine; a page of another site that poses as us would name itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _read_secret(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        part = path.with_name(f".{path.name}.part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(handle)
        part.replace(path)
    secret = path.read_bytes()
    if len(secret) != 32:
        raise InputError(f"{path} must hold a secret of 32 bytes: restore it, or remove it for new links.")
    return secret
