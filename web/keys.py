"""Who gets in: this machine without a key, others with one, or anyone where the owner says so."""

import functools
import hmac
import ipaddress
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN_PATHS = frozenset({"/livez", "/readyz", "/healthz", "/", "/page/page.js", "/page/style.css"})
"""Answered without a key: probes carry none, and the page, which tells nothing of the model, asks for one."""

_log = logging.getLogger("dc3.serving")


class BadKeys(Exception):  # noqa: N818
    """Keys are wanted and there are none; the message names the file and the remedy, for the service's owner only."""


class Keys:
    """The valid keys, read anew whenever their file changes; never logged, never in an answer."""

    def __init__(self, file: str, listed: str) -> None:
        """Keys of `file`, one a line, and those in `listed`, separated by commas."""
        self._file = Path(file) if file else None
        self._listed = tuple(key.strip() for key in listed.split(",") if key.strip())
        self._stamp: tuple[int, int, int] | None = None
        self._from_file: tuple[str, ...] = ()

    def current(self) -> tuple[str, ...]:
        """All keys, none where none are wanted.

        Raises BadKeys when a file is named and neither it nor the list has a key: a file that was emptied, or is
        being written, must not let in who has none.
        """
        if self._file is None:
            return self._listed
        try:
            self._read(self._file)
        except OSError as error:
            raise BadKeys(f"the file of API keys {self._file} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise BadKeys(f"the file of API keys {self._file} must be text in UTF-8 ({error})") from error
        if not self._listed + self._from_file:
            raise BadKeys(f"{self._file} must have one API key a line, it has none")
        return self._listed + self._from_file

    def _read(self, file: Path) -> None:
        state = file.stat()
        stamp = (state.st_mtime_ns, state.st_size, state.st_ino)
        if stamp != self._stamp:
            lines = file.read_text("utf-8-sig").splitlines()  # some editors put a mark before the first key
            self._from_file = tuple(line.strip() for line in lines if line.strip())
            self._stamp = stamp


def read_keys(file: str) -> Keys:
    """The keys of a file (none where it is empty) and of DC3_API_KEYS, which stays out of the settings so that it is in
    no log."""
    return Keys(file, os.environ.get("DC3_API_KEYS", ""))


class Guard:
    """ASGI wrapper that lets a request in or answers 401 or 403."""

    def __init__(self, app: ASGIApp, keys: Keys, insecure: bool) -> None:
        self._app = app
        self._keys = keys
        self._insecure = insecure
        self._fault = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Checks the key where keys are set, else where the client is."""
        if scope["type"] != "http" or self._insecure or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        try:
            keys = self._keys.current()
        except BadKeys as error:
            if str(error) != self._fault:  # once, for it concerns every request
                _log.error("%s; no one is let in", error)
            self._fault = str(error)
            refusal = _refusal(503, "no_keys", "the service has no API keys; its owner must mend their file")
        else:
            self._fault = ""
            if _is_key(_offered_key(scope), keys) if keys else is_loopback(scope):
                await self._app(scope, receive, send)
                return
            if keys:
                refusal = _refusal(401, "no_key", "send a valid key as 'Authorization: Bearer KEY'")
                refusal.headers["WWW-Authenticate"] = "Bearer"
            else:
                refusal = _refusal(403, "no_keys", "without API keys only this machine itself is answered")
        await refusal(scope, receive, send)


def is_loopback(scope: Scope) -> bool:
    """Whether the client is on this machine."""
    client = scope.get("client")
    return client is None or _is_loopback(client[0])


@functools.lru_cache
def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_key(offered: bytes, keys: Sequence[str]) -> bool:
    """Whether it is one of the keys in UTF-8, in a time that does not tell how much of it is right."""
    matches = [hmac.compare_digest(offered, key.encode()) for key in keys]
    return any(matches)


def _offered_key(scope: Scope) -> bytes:
    headers = dict(scope["headers"])
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    key: bytes = token.strip() if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"")
    return key


def _refusal(status: int, reason: str, message: str) -> JSONResponse:
    error = {"status": status, "reason": reason, "message": message}
    return JSONResponse({"error": error}, status, {"Connection": "close"})
