"""New versions without a pause: the model's file is watched, and the new model takes over between two requests."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from serving.live.live_model import LiveModel
from serving.model.card import BadModel
from serving.settings import Settings
from serving.telemetry import Telemetry

_log = logging.getLogger("dc3.serving")
_Stamp = tuple[int, int, int]


class Watched:
    """The model that answers now."""

    def __init__(self, live: LiveModel) -> None:
        self.live = live


@contextlib.asynccontextmanager
async def watch_model(settings: Settings, telemetry: Telemetry) -> AsyncIterator[Watched]:
    """Loads the settings' model, exchanges it whenever its file changes, and finishes its requests at the end.

    Raises card.BadModel when the first one cannot be loaded; a later one that cannot is logged and left out.
    """
    stamp = _stamp(settings.model)
    watched = Watched(await asyncio.to_thread(LiveModel, settings, telemetry))
    task = asyncio.create_task(_exchange(watched, settings, telemetry, stamp))
    try:
        yield watched
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await watched.live.close()


async def _exchange(watched: Watched, settings: Settings, telemetry: Telemetry, stamp: _Stamp | None) -> None:
    while True:
        await asyncio.sleep(settings.reload_s)
        found = _stamp(settings.model)
        if found in (stamp, None):  # a file on its way is absent for a moment
            continue
        stamp = found
        try:
            live = await asyncio.to_thread(LiveModel, settings, telemetry)
        except BadModel as error:
            _log.error("%s; model %s goes on", error, watched.live.version)
            continue
        except Exception:  # too little memory, no thread to be had: the next file may fare better
            _log.exception("a new model could not be loaded; model %s goes on", watched.live.version)
            continue
        old, watched.live = watched.live, live
        _log.warning("model %s takes over from %s", live.version, old.version)
        await old.close()


def _stamp(path: Path) -> _Stamp | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
