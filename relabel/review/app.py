"""The HTTP side of the review page; runs alone, or mounted on another application."""

import asyncio
import functools
import io
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from data.errors import InputError
from data.verdicts import to_table
from relabel.review.annotators import OWNER, Annotators, is_local_host
from relabel.review.desk import Desk, ReviewOptions
from relabel.review.documents import describe_map, describe_session, describe_state, read_id, read_submission
from web.keys import Guard, Keys
from web.limits import BodyLimit
from web.refused import Refused

PAGE = Path(__file__).parent / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE_HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
_SAFE = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
}
_BODY_MB = 4.0
_HELD_MB = 64.0
_BODY_TIMEOUT_S = 30.0
_Endpoint = Callable[[Request], Awaitable[Response]]


class Review:
    """The endpoints and what they share."""

    def __init__(self, open_desk: Callable[[], Desk], annotators: Annotators, insecure: bool) -> None:
        self._open_desk = open_desk
        self._annotators = annotators
        self._insecure = insecure

    def routes(self) -> list[Route]:
        """The paths that need a key, or a name."""
        return [
            Route("/session", self.session),
            Route("/next", self.next),
            Route("/answers", self.answers, methods=["POST"]),
            Route("/selections", self.selections, methods=["POST"]),
            Route("/undo", self.undo, methods=["POST"]),
            Route("/map", self.map),
            Route("/images/{place:int}", self.image),
            Route("/verdicts", self.verdicts),
        ]

    async def session(self, request: Request) -> Response:
        """GET session: who one is, and the classes."""
        name, desk = await self._enter(request)
        return JSONResponse(describe_session(desk, name))

    async def next(self, request: Request) -> Response:
        """GET next: the question that one is at."""
        name, desk = await self._enter(request)
        return JSONResponse(describe_state(desk, await asyncio.to_thread(desk.state, name)))

    async def answers(self, request: Request) -> Response:
        """POST answers: stores the answer to the question, then gives the next one."""
        name, desk = await self._enter(request)
        sent = read_submission(desk, await _read_json(request))
        return JSONResponse(describe_state(desk, await asyncio.to_thread(desk.answer, name, sent)))

    async def selections(self, request: Request) -> Response:
        """POST selections: stores one label for images chosen on the map."""
        name, desk = await self._enter(request)
        values = await _read_json(request)
        sent = read_submission(desk, values)
        state = await asyncio.to_thread(desk.select, name, sent, values.get("shown") is not False)
        return JSONResponse(describe_state(desk, state))

    async def undo(self, request: Request) -> Response:
        """POST undo: takes the last answer back."""
        name, desk = await self._enter(request)
        state, taken = await asyncio.to_thread(desk.undo, name, read_id(await _read_json(request)))
        return JSONResponse(describe_state(desk, state, taken))

    async def map(self, request: Request) -> Response:
        """GET map: all images as points, those of the control arm without what the run says of them."""
        name, desk = await self._enter(request)
        return JSONResponse(describe_map(desk, name))

    async def image(self, request: Request) -> Response:
        """GET images/PLACE: the bytes of an image."""
        _, desk = await self._enter(request)
        place = request.path_params["place"]
        if place >= len(desk.images):
            raise Refused(404, "no_such_image", f"there are {len(desk.images)} images, counted from 0")
        path = desk.bundle.image_path(desk.proposals[desk.images[place]].file)
        kind = _TYPES.get(path.suffix.lower(), "application/octet-stream")
        # not kept by the browser: the same place is another image in the next round
        return FileResponse(path, media_type=kind, headers={"Cache-Control": "no-store", **_SAFE})

    async def verdicts(self, request: Request) -> Response:
        """GET verdicts: one's own answers as a verdict table, to the owner those of all."""
        name, desk = await self._enter(request, owner=True)
        rows = await asyncio.to_thread(desk.verdicts, None if name == OWNER else name)
        text = io.StringIO()
        to_table(rows).to_csv(text, index=False)
        return Response(text.getvalue(), media_type="text/csv", headers={"Cache-Control": "no-store", **_SAFE})

    async def _enter(self, request: Request, owner: bool = False) -> tuple[str, Desk]:
        """The annotator and the desk; raises Refused for whoever may not."""
        if not self._annotators.names and not self._insecure and not is_local_host(request.url.hostname):
            raise Refused(403, "other_host", "open this page by the address that `dc3 review` printed")
        name = self._annotators.identify(request.headers)
        if name == OWNER and not owner:
            raise Refused(
                403, "owner", "the owner's key reads all answers at verdicts; to annotate take a link of yours"
            )
        try:
            return name, await asyncio.to_thread(self._open_desk)
        except InputError as error:
            raise Refused(503, "not_ready", str(error)) from error


def create_app(open_desk: Callable[[], Desk], annotators: Annotators, insecure: bool = False) -> Starlette:
    """The application; `open_desk` is called at the first request and then must give the same desk."""
    review = Review(open_desk, annotators, insecure)
    limit = Middleware(BodyLimit, max_body_mb=_BODY_MB, max_held_mb=_HELD_MB, timeout_s=_BODY_TIMEOUT_S)
    handlers = {
        Refused: _answer_refused,
        HTTPException: _answer_http,
        ClientDisconnect: _answer_gone,
    }
    inner = Starlette(routes=review.routes(), middleware=[limit], exception_handlers=handlers)
    # keys set: every annotator needs his own, on whatever machine he sits
    guarded = Guard(inner, Keys("", ",".join(annotators.keys())), insecure and not annotators.names)
    app = Starlette(
        routes=[
            Route("/", _page),
            Mount("/page", StaticFiles(directory=PAGE)),
            Mount("/api", guarded),
        ]
    )
    for router in (inner.router, app.router):
        router.redirect_slashes = False  # it would lead to an address without a proxy's prefix
    return app


def create_review(options: ReviewOptions, annotators: Annotators, insecure: bool = False) -> Starlette:
    """The application for one process that mounts it: it opens the journal when the first request comes."""
    return create_app(functools.cache(lambda: Desk(options)), annotators, insecure)


async def _page(request: Request) -> Response:
    if not request.url.path.endswith("/"):  # mounted, and called without the slash that its own paths hang on
        # relative, for a proxy may have a prefix before the path
        return Response(status_code=307, headers={"Location": f"./{request.url.path.rpartition('/')[2]}/"})
    return FileResponse(PAGE / "index.html", headers=_PAGE_HEADERS)


async def _read_json(request: Request) -> dict[str, object]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "not_json", "send application/json")
    try:
        values = await request.json()
    except (ValueError, RecursionError) as error:  # the latter from lists in lists without end
        raise Refused(400, "bad_json", f"the body is no JSON ({error})") from error
    if not isinstance(values, dict):
        raise Refused(400, "bad_json", "the body must be one JSON object")
    return values


async def _answer_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse({"error": error.to_json()}, error.status, error.headers)


async def _answer_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refused = Refused(error.status_code, error.detail.lower().replace(" ", "_"), error.detail)
    return JSONResponse({"error": refused.to_json()}, error.status_code, error.headers)


async def _answer_gone(_: Request, error: Exception) -> Response:
    return Response(status_code=400)
