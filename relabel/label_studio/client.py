"""HTTP requests to one Label Studio server; the only place that imports httpx beside the tokens."""

import time
from collections.abc import Iterator
from typing import Any, Self

import httpx

from data.errors import InputError
from relabel.label_studio.token import choose_auth

WAITS_S = (0.5, 1.0, 2.0, 4.0)
"""Between the tries of a request that may be repeated."""
_PASSING = (429, 500, 502, 503, 504)
"""Label Studio on SQLite answers 500 while another writer holds the database."""
_TIMEOUT = httpx.Timeout(300.0, connect=10.0)
_MAX_TEXT = 1000


class Broken(InputError):  # noqa: N818
    """No answer, or a fault of the server: whether the request had its effect is not known."""


class Client:
    """Requests with the user's token until the end of a `with` block; a refusal is an InputError with its remedy."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise InputError(f"--url must begin with http:// or https://, it is {url!r}.")
        # Redirects are not followed: the token would travel with them.
        self._http = httpx.Client(
            auth=choose_auth(token, self.url), timeout=_TIMEOUT, headers={"Accept": "application/json"}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **parameters: str | int) -> Any:
        """The JSON at a path, tried again while the connection is broken."""
        return _json(self._repeat("GET", path, parameters))

    def fetch(self, url: str) -> httpx.Response:
        """Whatever the server answers to an absolute path: the caller judges it."""
        return self._send("GET", f"{self.url}{url}")

    def pages(self, path: str, **parameters: str | int) -> Iterator[Any]:
        """The results of a list that comes in pages."""
        number, more = 1, True
        while more:
            answer = self.get(path, page=number, **parameters)
            yield from answer["results"]
            number, more = number + 1, answer["next"] is not None

    def post(self, path: str, body: object, **parameters: str | int) -> Any:
        """Sends JSON once and returns the answer's; raises Broken when its effect is not known."""
        return _json(self._check("POST", path, self._send("POST", f"{self.url}{path}", params=parameters, json=body)))

    def patch(self, path: str, body: object) -> None:
        """Changes what stands at a path."""
        self._repeat("PATCH", path, {}, body)

    def delete(self, path: str) -> None:
        """Deletes what stands at a path, and is content when it is gone already."""
        self._repeat("DELETE", path, {}, gone_is_fine=True)

    def _repeat(
        self, method: str, path: str, parameters: dict[str, str | int], body: object = None, gone_is_fine: bool = False
    ) -> httpx.Response:
        for wait in (*WAITS_S, None):
            try:
                response = self._send(method, f"{self.url}{path}", params=parameters, json=body)
                if gone_is_fine and response.status_code == 404:
                    return response
                return self._check(method, path, response)
            except Broken:
                if wait is None:
                    raise
                time.sleep(wait)
        raise AssertionError("unreachable")

    def _send(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        try:
            return self._http.request(method, url, **arguments)
        except httpx.HTTPError as error:
            text = (
                f"No answer from {self.url} ({type(error).__name__}: {error}). Is it running, and is the address right?"
            )
            raise Broken(f"{text} `dc3 label-studio start` starts a server on this machine.") from error
        except httpx.InvalidURL as error:
            raise InputError(f"--url must be the address of Label Studio, {self.url!r} is none ({error}).") from error

    def _check(self, method: str, path: str, response: httpx.Response) -> httpx.Response:
        code = response.status_code
        if code < 300:
            return response
        text = f"{self.url} answered {code} to {method} {path}: {_explain(response)}"
        if code in _PASSING:
            raise Broken(f"{text}. Push or pull again: what is there is kept.")
        if code < 400:
            raise InputError(f"{text}; give --url as {response.headers.get('location', 'it')} says, with https://.")
        if code in (401, 403):
            raise InputError(
                f"{text}. The token must be one of a user of this server. A personal access token works everywhere; "
                "legacy tokens only where the organisation's settings allow them."
            )
        raise InputError(f"{text}. Is that Label Studio 1.23 or newer?")


def _explain(response: httpx.Response) -> str:
    """What the answer says of its reason."""
    try:
        answer = response.json()
    except ValueError:
        return response.reason_phrase
    if not isinstance(answer, dict):
        return str(answer)[:_MAX_TEXT]
    parts = [answer.get("detail"), answer.get("validation_errors")]
    return "; ".join(str(part) for part in parts if part)[:_MAX_TEXT] or response.reason_phrase


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise InputError(f"{response.url.host} answers no JSON: --url is not the address of Label Studio.") from error
