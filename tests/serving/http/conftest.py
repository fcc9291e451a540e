"""What must hold around every test that sends something to the shared service."""

from collections.abc import Iterator

import httpx
import pytest

from tests.serving.http.sending import GOOD, post
from tests.serving.running import Server


@pytest.fixture
def still_answers(client: httpx.Client) -> Iterator[None]:
    """After the test the service answers a good request."""
    yield
    response = post(client, GOOD, "good.png")
    assert response.status_code == 200
    assert response.json()["answers"][0]["decision"] in ("class", "cluster")


@pytest.fixture(scope="module")
def nothing_in_the_log(server: Server) -> Iterator[None]:
    """After the module's tests the service's log shows no fault."""
    yield
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "Exception" not in log
