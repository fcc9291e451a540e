"""The BentoML service: worker processes, supervision and probes around the application of serving.app."""

import warnings

import bentoml

from serving.app import create_app
from serving.keys import Guard, read_keys
from serving.settings import read_settings

# Pillow warns of odd metadata in images; a client must not be able to fill the log with that.
warnings.filterwarnings("ignore", module=r"PIL\.")

_settings = read_settings()

# BentoML's own metrics have the path a client asked for as label, so that anyone could grow them without bound, and
# cost an eighth of the throughput; its access log and tracing likewise. serving.telemetry counts instead.
_CONFIG = {
    "workers": _settings.workers,
    "metrics": {"enabled": False},
    "logging": {"access": {"enabled": False}},
    "tracing": {"excluded_urls": ".*"},
    "traffic": {"timeout": _settings.body_timeout_s + 2 * _settings.answer_timeout_s},
}


@bentoml.service(name="dc3", **_CONFIG)
@bentoml.asgi_app(create_app(_settings), path="/")
class Dc3Service:
    """Classifies clear images, clusters the doubtful ones and says which is which."""


Dc3Service.add_asgi_middleware(Guard, keys=read_keys(_settings), insecure=_settings.insecure)
