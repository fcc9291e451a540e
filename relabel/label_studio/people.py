"""Users of Label Studio in sessions as a browser has them: log in, and annotators by invitation."""

import re

import httpx

from data.errors import InputError

_TIMEOUT_S = 60


def log_in(url: str, email: str, password: str) -> httpx.Client:
    """A session of a user; raises InputError when the server refuses the password."""
    session = _open_session(url, "/user/login/")
    form = {"email": email, "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    answer = session.post("/user/login/", data=form)
    if answer.status_code != 302:
        raise InputError(f"{url} does not let {email} in (status {answer.status_code}): is the password right?")
    return _with_csrf(session)


def sign_up(url: str, owner: httpx.Client, email: str, password: str) -> httpx.Client:
    """A session of a new annotator, invited by `owner`.

    An invitation is the one way: users made by the API get no password and no organisation (Label Studio 1.23.2).
    Raises InputError when the server refuses, as it does for an e-mail address that is taken.
    """
    invitation = owner.get("/api/invite").raise_for_status().json()["invite_url"]
    token = re.search(r"token=([^&]+)", invitation)
    assert token, "an invitation carries a token"
    session = _open_session(url, f"/user/signup/?token={token[1]}")
    form = {"email": email, "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    answer = session.post("/user/signup/", params={"token": token[1]}, data=form)
    if answer.status_code != 302:
        raise InputError(f"{url} does not sign {email} up (status {answer.status_code}): is the address taken?")
    return _with_csrf(session)


def _open_session(url: str, page: str) -> httpx.Client:
    """The form's page sets the cookie that the form must send back."""
    session = httpx.Client(base_url=url, timeout=_TIMEOUT_S)
    session.get(page).raise_for_status()
    return session


def _with_csrf(session: httpx.Client) -> httpx.Client:
    session.headers["X-CSRFToken"] = session.cookies["csrftoken"]
    return session
