"""A child process ends when the one that started it is gone, even where that one was killed."""

import os
import threading
import time

PARENT = "DC3_GPU_PARENT"


def mark_as_child() -> dict[str, str]:
    """The environment entry that a child of this process needs for `leave_with_parent`."""
    return {PARENT: str(os.getpid())}


def leave_with_parent() -> None:
    """Ends this process with the one named by PARENT; at once, where that one ended while this one still started.

    Two calls over one work folder would write over each other's checkpoints otherwise.
    """
    parent = int(os.environ[PARENT])

    def wait() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    if os.getppid() != parent:
        os._exit(1)
    threading.Thread(target=wait, daemon=True).start()
