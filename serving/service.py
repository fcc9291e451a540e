"""The BentoML service: worker processes, supervision and probes around the application of serving.http.app."""

import functools
import logging
import sys
import warnings

import bentoml
import uvicorn.protocols.http.auto
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.http.app import create_app, is_predict, without_slash
from serving.settings import read_settings
from web.keys import Guard, read_keys
from web.protocol import BoundedProtocol

# A thread that comes back from onnxruntime or Pillow waits so long for Python while another one runs: with the 5 ms of
# the default two cores stood still for 7 % of the time under 32 clients, with this for 2 %.
sys.setswitchinterval(0.0002)

# Pillow warns of odd metadata in images, the form's parser of what is malformed, a line for each request; a client must
# not be able to fill the log with that.
warnings.filterwarnings("ignore", module=r"PIL\.")
for _name in ("PIL", "python_multipart"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

_settings = read_settings()

# BentoML starts uvicorn itself and hands no protocol on; this is the one that uvicorn then takes.
uvicorn.protocols.http.auto.AutoHTTPProtocol = functools.partial(  # type: ignore[assignment]
    BoundedProtocol, timeout_s=_settings.body_timeout_s
)


class Dc3:
    """Classifies clear images, clusters the doubtful ones and says which is which."""


class Lane(bentoml.Service):
    """A service whose images do not pass through BentoML's middleware.

    Its tracing, timeout and context take 51 of the 74 microseconds of processor time that it spends on an empty
    request, and what they do is done here: serving.telemetry counts, web.limits and serving.live.batching end what
    takes too long.
    """

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        """BentoML's application, with the images' path before it."""
        rest = super().to_asgi(is_main)
        rest.router.redirect_slashes = False  # as in serving.http.app, whose paths its router knows too

        async def choose(scope: Scope, receive: Receive, send: Send) -> None:
            await (_guarded if is_predict(scope) else rest)(without_slash(scope), receive, send)

        return choose


# BentoML's own metrics have the path that a client asked for as label, so that anyone could grow them without bound;
# they, its access log and its tracing cost a fourth of the throughput. serving.telemetry counts instead.
service = bentoml.service(
    Dc3,
    name="dc3",
    service_class=Lane,
    workers=_settings.workers,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
    traffic={"timeout": _settings.body_timeout_s + 2 * _settings.answer_timeout_s},
)
_app = create_app(_settings)
_keys = read_keys(_settings.api_keys_file)
_guarded = Guard(_app, _keys, _settings.insecure)
service.mount_asgi_app(_app, path="/")
service.add_asgi_middleware(Guard, keys=_keys, insecure=_settings.insecure)
