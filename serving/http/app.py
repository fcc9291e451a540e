"""The HTTP application: the way to /predict; /model with its typical images, /metrics, /openapi.json and the page."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.http.model_facts import describe_model
from serving.http.openapi import describe
from serving.http.post_predict import Predict
from serving.live.live_model import LiveModel
from serving.live.reload import Watched, watch_model
from serving.settings import Settings
from serving.telemetry import Telemetry
from web.limits import BodyLimit
from web.refused import Refused

PAGE = Path(__file__).parents[1] / "page"
_PAGE_POLICY = "default-src 'self'; img-src blob: data:; frame-ancestors 'none'; form-action 'self'"
_KEEP = {"Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}
_ASK_AGAIN = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Service:
    """The endpoints of one process and what they share."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._telemetry = Telemetry()
        self._watched: Watched | None = None
        self.predict = Predict(settings, self._telemetry, lambda: self.live)

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Loads the model before the first request and finishes the last ones before it goes."""
        async with watch_model(self._settings, self._telemetry) as self._watched:
            # What is there now stays; to look through it again and again for garbage made p99 at 64 clients 135 ms
            # instead of 83.
            gc.collect()
            gc.freeze()
            yield
        self._telemetry.write()

    @property
    def live(self) -> LiveModel:
        """The model that answers now."""
        assert self._watched is not None, "requests come after the start"
        return self._watched.live

    async def model(self, _: Request) -> Response:
        """GET /model: what the model is."""
        live = self.live
        return JSONResponse(describe_model(live.model.card, live.version))

    async def typical(self, request: Request) -> Response:
        """GET /model/clusters/CLUSTER/PLACE.jpg: a typical image of a cluster, of the model that answers now."""
        live = self.live
        version = request.query_params.get("version")
        if version not in (None, live.version):
            raise Refused(404, "other_model", f"model {live.version} answers now; read GET /model again")
        image = live.typical.get("{cluster}/{name}".format(**request.path_params))
        if image is None:
            raise Refused(404, "no_such_image", "the cluster has no such typical image; GET /model lists them")
        return Response(image, media_type="image/jpeg", headers=_KEEP if version else _ASK_AGAIN)

    async def metrics(self, _: Request) -> Response:
        """GET /metrics: the counters of all processes."""
        self._telemetry.write()
        text = await asyncio.to_thread(self._telemetry.to_text)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def openapi(self, _: Request) -> Response:
        """GET /openapi.json: the description of this interface."""
        return JSONResponse(describe(self._settings))


class App(Starlette):
    """The application, with the images' path before all others.

    Starlette's router and handlers of exceptions take as long as all else that is done in Python for an image.
    """

    predict: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; a path with a slash at its end is that without."""
        if is_predict(scope) and scope["method"] == "POST":
            await self.predict(scope, receive, send)
        else:
            await super().__call__(without_slash(scope), receive, send)


def is_predict(scope: Scope) -> bool:
    """Whether a request is for the images' path."""
    return scope["type"] == "http" and scope["path"] in ("/predict", "/predict/")


def without_slash(scope: Scope) -> Scope:
    """The request without the slash at the end of its path; the root's stays."""
    if scope["type"] != "http":
        return scope
    path = scope["path"].rstrip("/")
    return scope if path == scope.get("root_path", "") else {**scope, "path": path}


def create_app(settings: Settings) -> App:
    """The application; it loads the model when a server starts it."""
    service = Service(settings)
    limits = {
        "max_body_mb": settings.max_body_mb,
        "max_held_mb": settings.max_held_mb,
        "timeout_s": settings.body_timeout_s,
    }
    predict = BodyLimit(service.predict, **limits)
    app = App(
        routes=[
            Route("/predict", predict, methods=["POST"]),  # which tells other methods that they are wrong
            Route("/model", service.model),
            Route("/model/clusters/{cluster}/{name}", service.typical),
            Route("/metrics", service.metrics),
            Route("/openapi.json", service.openapi),
            Route("/docs.json", service.openapi),
            Route("/", _page),
            Mount("/page", StaticFiles(directory=PAGE)),
        ],
        middleware=[Middleware(BodyLimit, **limits)],
        exception_handlers={Refused: _answer_refused, HTTPException: _answer_http},
        lifespan=service.lifespan,
    )
    app.predict = predict
    # A redirect would lead to an address as this process sees it: without a proxy's prefix, its name or its TLS.
    app.router.redirect_slashes = False
    return app


async def _page(_: Request) -> Response:
    return FileResponse(PAGE / "index.html", headers={"Content-Security-Policy": _PAGE_POLICY})


async def _answer_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse({"error": error.to_json()}, error.status, error.headers)


async def _answer_http(_: Request, error: Exception) -> Response:
    """Starlette's own refusals (no such path, no such method) in the form of ours."""
    assert isinstance(error, HTTPException)
    reason = error.detail.lower().replace(" ", "_")
    refused = Refused(error.status_code, reason, f"{error.detail}; GET /openapi.json lists all paths")
    return JSONResponse({"error": refused.to_json()}, error.status_code, error.headers)
