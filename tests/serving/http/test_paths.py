"""Paths and methods: a slash at the end plays no role, nothing is redirected."""

import httpx
import pytest

from tests.serving.http.sending import GOOD

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("still_answers", "nothing_in_the_log")]


@pytest.mark.parametrize("path", ["/predict", "/model", "/metrics", "/openapi.json"])
def test_a_slash_at_the_end_leads_nowhere_else(client: httpx.Client, path: str) -> None:
    """A redirect would lose the prefix, and the TLS, of a proxy before the service."""
    ask = {"url": path, "method": "GET"} | ({"method": "POST", "content": GOOD} if path == "/predict" else {})
    plain, slashed = client.request(**ask), client.request(**ask | {"url": f"{path}/"})
    assert (plain.status_code, slashed.status_code) == (200, 200)
    assert path == "/metrics" or slashed.json() == plain.json()


@pytest.mark.parametrize("path", ["/page", "/page/", "/no/", "/predict//no/"])
def test_no_path_is_answered_by_a_redirect(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/predict", 405), ("PUT", "/predict", 405), ("GET", "/no", 404)]
)
def test_other_methods_and_paths_are_4xx(client: httpx.Client, method: str, path: str, status: int) -> None:
    assert client.request(method, path).status_code == status
