"""One real Label Studio for all tests here, two annotators on it, and proposal folders."""

import contextlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest

from data.errors import InputError
from data.proposals import ProposalFolder
from relabel.label_studio.client import Client
from relabel.label_studio.install import install
from relabel.label_studio.people import log_in, sign_up
from relabel.label_studio.token import read_token
from tests.relabel.label_studio.bundles import MEMBERS, N_CERTAIN, make_bundle
from tests.relabel.label_studio.server import OWNER, PASSWORD, Person, Server, serve
from tests.serving.running import free_port

_rounds = count(1)


class MakeBundle(Protocol):
    """Writes a new proposal folder."""

    def __call__(self, members: dict[str, int] = MEMBERS, n_certain: int = N_CERTAIN) -> ProposalFolder: ...


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory, cifar10h: Path) -> Iterator[Server]:
    """The server; its first proposal folder is only there to start it with."""
    try:
        install()
    except InputError as error:
        pytest.skip(f"LABEL STUDIO IS UNTESTED HERE: {error}")
    folder, root = tmp_path_factory.mktemp("label_studio"), tmp_path_factory.mktemp("rounds")
    first = make_bundle(root / "first", cifar10h, 99)
    with serve(folder, first.folder, free_port()) as running:
        yield running


@pytest.fixture
def new_bundle(label_studio: Server, cifar10h: Path) -> MakeBundle:
    """Makes proposal folders that the server can hand out; each has a round, and so projects, of its own."""

    def make(members: dict[str, int] = MEMBERS, n_certain: int = N_CERTAIN) -> ProposalFolder:
        number = next(_rounds)
        return make_bundle(label_studio.root / f"round {number}", cifar10h, number, members, n_certain)

    return make


@pytest.fixture(scope="session")
def owner(label_studio: Server) -> Iterator[Person]:
    """The first user."""
    password = (label_studio.token_file.parent / "password").read_text().strip()
    with contextlib.closing(log_in(label_studio.url, OWNER, password)) as session:
        yield Person(OWNER, session)


@pytest.fixture(scope="session")
def annotators(label_studio: Server, owner: Person) -> Iterator[tuple[Person, Person]]:
    """Two people."""
    emails = ("ada@example.org", "bob@example.org")
    ada, bob = (Person(email, sign_up(label_studio.url, owner.session, email, PASSWORD)) for email in emails)
    yield ada, bob
    ada.session.close()
    bob.session.close()


@pytest.fixture
def client(label_studio: Server) -> Iterator[Client]:
    """Our client with the owner's legacy token."""
    with Client(label_studio.url, read_token(label_studio.token_file)) as connected:
        yield connected
