"""The BentoML service: worker processes, supervision and probes around the application of serving.app."""

import warnings

import bentoml

from serving.app import create_app
from serving.keys import Guard, read_keys
from serving.settings import read_settings

# Pillow warns of odd metadata in images; a client must not be able to fill the log with that.
warnings.filterwarnings("ignore", module=r"PIL\.")

_settings = read_settings()


class Dc3:
    """Classifies clear images, clusters the doubtful ones and says which is which."""


# BentoML's own metrics have the path that a client asked for as label, so that anyone could grow them without bound;
# they, its access log and its tracing cost a fourth of the throughput. serving.telemetry counts instead.
service = bentoml.service(
    Dc3,
    name="dc3",
    workers=_settings.workers,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
    traffic={"timeout": _settings.body_timeout_s + 2 * _settings.answer_timeout_s},
)
service.mount_asgi_app(create_app(_settings), path="/")
service.add_asgi_middleware(Guard, keys=read_keys(_settings), insecure=_settings.insecure)
