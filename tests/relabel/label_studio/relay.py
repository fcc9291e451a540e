"""A relay between client and server whose connection breaks at a chosen request: after the server has answered it."""

import contextlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.threads import join_threads, start_thread


class _Handler(BaseHTTPRequestHandler):
    def handle_request(self) -> None:
        relay = self.server
        assert isinstance(relay, Relay)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "content-length")}
        answer = relay.http.request(self.command, f"{relay.target}{self.path}", content=body, headers=headers)
        if self.command == "POST" and "/import" in self.path:
            relay.imports += 1
            if relay.imports in relay.breaks:
                self.close_connection = True
                return
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["content-type"])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_request  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class Relay(ThreadingHTTPServer):
    """Hands requests on; the imports numbered in `breaks`, from 1, are carried out but never answered."""

    def __init__(self, target: str, breaks: set[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.breaks = breaks
        self.imports = 0
        self.http = httpx.Client(timeout=60)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


@contextlib.contextmanager
def relay(target: str, breaks: set[int]) -> Iterator[Relay]:
    """A relay that ends with the block."""
    with Relay(target, breaks) as server:
        thread = start_thread(server.serve_forever)
        try:
            yield server
        finally:
            server.shutdown()
            join_threads(thread, waits_for=lambda: f"the relay to {target}")
            server.http.close()
