"""Label Studio's two kinds of token as HTTP authentication; neither is ever written to a log or a message."""

import os
from collections.abc import Generator
from pathlib import Path

import httpx

from data.errors import InputError

VARIABLE = "LABEL_STUDIO_TOKEN"
_HOW = (
    f"put the token into the environment variable {VARIABLE} or into a file named by --token-file. Label Studio shows "
    "it under Account & Settings; `dc3 label-studio start` writes one for its own server"
)


class LegacyToken(httpx.Auth):
    """A token that is sent as it is; servers have this kind switched off unless their owner allows it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sends the request with the token."""
        request.headers["Authorization"] = f"Token {self._token}"
        yield request


class PersonalToken(httpx.Auth):
    """A personal access token: it buys access tokens that live five minutes, so that a 401 means 'buy another'."""

    requires_response_body = True

    def __init__(self, token: str, url: str) -> None:
        self._token = token
        self._url = url
        self._access = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sends the request, at most twice."""
        if not self._access:
            yield from self._renew()
        response = yield self._sign(request)
        if response.status_code == 401:
            yield from self._renew()
            yield self._sign(request)

    def _renew(self) -> Generator[httpx.Request, httpx.Response, None]:
        response = yield httpx.Request("POST", f"{self._url}/api/token/refresh", json={"refresh": self._token})
        # Refused here, the request itself is answered 401 as well, and the client says so.
        self._access = response.json()["access"] if response.status_code == 200 else "refused"

    def _sign(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {self._access}"
        return request


def read_token(file: Path | None) -> str:
    """The token of a file's first line, else of the environment; raises InputError where there is none."""
    if file is None:
        text = os.environ.get(VARIABLE, "")
        source = f"the environment variable {VARIABLE}"
    else:
        source = str(file)
        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"The token file {file} cannot be read ({error}); {_HOW}.") from error
    lines = text.split()
    if len(lines) != 1 or not lines[0].isascii():
        raise InputError(f"{source} must hold one token and nothing else, it holds {len(lines)} words; {_HOW}.")
    return lines[0]


def choose_auth(token: str, url: str) -> httpx.Auth:
    """Personal access tokens are JSON web tokens, three parts with dots between them; legacy tokens have no dot."""
    return PersonalToken(token, url) if token.count(".") == 2 else LegacyToken(token)
