"""Who gets in: this machine without a key, others with one, or anyone where the owner says so."""

import functools
import hmac
import ipaddress
import os
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.settings import Settings

OPEN_PATHS = frozenset({"/livez", "/readyz", "/healthz", "/", "/page/page.js", "/page/style.css"})
"""Answered without a key: probes carry none, and the page, which tells nothing of the model, asks for one."""


class Keys:
    """The valid keys, read anew whenever their file changes; never logged, never in an answer."""

    def __init__(self, file: str, listed: str) -> None:
        """Keys of `file`, one a line, and those in `listed`, separated by commas."""
        self._file = Path(file) if file else None
        self._listed = tuple(key.strip() for key in listed.split(",") if key.strip())
        self._stamp: tuple[int, int] | None = None
        self._from_file: tuple[str, ...] = ()

    def current(self) -> tuple[str, ...]:
        """All keys; raises OSError when the file cannot be read."""
        if self._file is not None:
            state = self._file.stat()
            stamp = (state.st_mtime_ns, state.st_ino)
            if stamp != self._stamp:
                lines = self._file.read_text().splitlines()
                self._from_file = tuple(line.strip() for line in lines if line.strip())
                self._stamp = stamp
        return self._listed + self._from_file

    def accept(self, offered: str) -> bool:
        """Whether `offered` is a key, in a time that does not tell how much of it is right."""
        matches = [hmac.compare_digest(offered.encode(), key.encode()) for key in self.current()]
        return any(matches)


def read_keys(settings: Settings) -> Keys:
    """The keys of the settings' file and of DC3_API_KEYS, which stays out of the settings so that it is in no log."""
    return Keys(settings.api_keys_file, os.environ.get("DC3_API_KEYS", ""))


class Guard:
    """ASGI wrapper that lets a request in or answers 401 or 403."""

    def __init__(self, app: ASGIApp, keys: Keys, insecure: bool) -> None:
        self._app = app
        self._keys = keys
        self._insecure = insecure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Checks the key where keys are set, else where the client is."""
        if scope["type"] != "http" or self._insecure or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        try:
            known = bool(self._keys.current())
        except OSError:
            refusal = _refusal(503, "no_keys", "the file of API keys cannot be read; its owner must mend it")
        else:
            if self._keys.accept(_offered_key(scope)) if known else is_loopback(scope):
                await self._app(scope, receive, send)
                return
            if known:
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


def _offered_key(scope: Scope) -> str:
    headers = Headers(scope=scope)
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _refusal(status: int, reason: str, message: str) -> JSONResponse:
    error = {"status": status, "reason": reason, "message": message}
    return JSONResponse({"error": error}, status, {"Connection": "close"})
