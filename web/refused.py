"""A request that gets no predictions: its HTTP status, a stable reason for programs and a text for people."""

from collections.abc import Mapping


class Refused(Exception):  # noqa: N818
    """Ends a request with `status`; `headers` go with the answer."""

    def __init__(self, status: int, reason: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, reason, message)
        self.status = status
        self.reason = reason
        self.message = message
        self.headers = dict(headers or {})

    def to_json(self) -> dict[str, object]:
        """The answer's `error` entry."""
        return {"status": self.status, "reason": self.reason, "message": self.message}
