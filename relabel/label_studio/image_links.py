"""Where annotators' browsers find the images: Label Studio's own local files, or any web address."""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from data.errors import InputError
from data.proposals import IMAGES, ProposalFolder


class Links(NamedTuple):
    """What stands before an image's path in its address."""

    prefix: str
    storage: str
    """Folder on the server that a project must register before its images are handed out; empty for a web address."""

    def url(self, file: str) -> str:
        """Address of an image below images/; relative to the server for local files."""
        return self.prefix + quote(file)


def link_local(bundle: ProposalFolder, root: Path, server_root: str = "") -> Links:
    """Images that Label Studio serves from its document root.

    Args:
        bundle: lies below `root`.
        root: the document root (LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT) as seen from this machine.
        server_root: the same folder as the server names it, where that differs (a container); empty means `root`.
    """
    images = (bundle.folder / IMAGES).resolve()
    if not images.is_relative_to(root.resolve()):
        raise InputError(
            f"{images} does not lie below {root.resolve()}. Name the folder that Label Studio serves "
            "(LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT) with --local-files, and put the proposals below it; or serve the "
            "images yourself and give --images-url."
        )
    relative = images.relative_to(root.resolve()).as_posix()
    storage = f"{server_root.rstrip('/') or root.resolve().as_posix()}/{relative}"
    return Links(f"/data/local-files/?d={quote(relative)}/", storage)


def link_web(base: str) -> Links:
    """Images at `base`/FILE, such as a bucket or a web server that sends CORS headers."""
    if not base.startswith(("http://", "https://")) or base.split() != [base]:
        raise InputError(f"--images-url must begin with http:// or https:// and have no spaces, it is {base!r}.")
    return Links(base.rstrip("/") + "/", "")
