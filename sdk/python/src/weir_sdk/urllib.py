"""Lets `urllib.request` send through Weir's gate, for packages that use it. Prefer `weir_sdk.http` where you write requests.

>>> with urllib.request.urlopen(BASE_URL + "/contacts") as answer:
...     contacts = json.loads(answer.read())

A component has no sockets. Whatever a connector or one of its packages opens by `urllib.request` goes out as a request of
`weir_sdk.http` does: asked for in the manifest, with the connection's credential, and with Weir following redirects.

| What happened | What `urlopen` raises | If nobody catches it |
| --- | --- | --- |
| another status than 2xx | `StatusError`, an `urllib.error.HTTPError` | the fault of the status, as `Response.check` |
| no answer | `GateError`, an `urllib.error.URLError` and an `HttpError` | the fault that it is |

`answer.response` is the `weir_sdk.http.Response`; its `json()` is an `unknown-outcome` where a POST succeeded and its answer
cannot be read, which `json.loads(answer.read())` cannot know.

Nothing needs to be imported or installed: a component does it where `urllib.request` was imported while it was built, and
so does `weir_sdk.testing.Script`. Timeouts are Weir's own; proxies, cookies and passwords are not looked for.
"""

from __future__ import annotations

import io
import urllib.request
from http.client import HTTPMessage, responses
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.response import addinfourl

from . import http
from .fault import Fault

__all__ = ["BASE_URL", "Answer", "GateError", "Handler", "StatusError", "install", "restore"]

BASE_URL = "https://connection.invalid"
"""Stands for the connection's base URL: `urllib` insists on an absolute one."""

# What `do_request_` of `AbstractHTTPHandler` says of a body whose sender says nothing.
_FORM = "application/x-www-form-urlencoded"

# What `urllib.request` looks up when something is opened.
_WAYS = ("_opener", "HTTPHandler", "HTTPSHandler")


class Answer(addinfourl):
    """An answer, with what `http.client.HTTPResponse` has and packages ask for."""

    def __init__(self, response: http.Response, url: str) -> None:
        headers = HTTPMessage()
        for name, value in response.headers:
            headers[name] = value
        super().__init__(io.BytesIO(response.body), headers, response.url or url, response.status)
        self.response = response
        self.reason = self.msg = responses.get(response.status, "")

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """The header field of that name; several are joined."""
        values: list[str] = self.headers.get_all(name, [])
        return ", ".join(values) if values else default

    def getheaders(self) -> list[tuple[str, str]]:
        """All header fields."""
        return list(self.headers.items())


class StatusError(HTTPError):
    """A status that is no success."""

    def __init__(self, url: str, answer: Answer) -> None:
        super().__init__(url, answer.response.status, answer.reason, answer.headers, answer)
        self.response = answer.response

    def to_fault(self) -> Fault:
        """The fault that the status means."""
        return self.response.to_fault()


class GateError(http.HttpError, URLError):  # type: ignore[misc]  # each has a `reason`; it is that of `HttpError`
    """No answer."""


class Handler(urllib.request.BaseHandler):
    """Sends; for an opener of your own: `urllib.request.build_opener(Handler, …)`."""

    # Before the handlers of the standard library, which know sockets only, and nothing of faults.
    handler_order = 100

    def http_open(self, request: urllib.request.Request) -> Answer:
        """Sends a request and waits for the whole answer."""
        fields = [(name, value) for name, value in request.header_items() if name.lower() != "content-length"]
        names = {name.lower() for name, _ in fields}
        body = _bytes_of(request.data)
        if request.data is not None and "content-type" not in names:
            fields.append(("Content-Type", _FORM))
        # An opener says whose it is unless it is told otherwise; the gate says that for every plugin.
        for name, value in self.parent.addheaders:
            if name.lower() not in names and not value.startswith("Python-urllib/"):
                fields.append((name, value))
        sent = http.Request(request.get_method(), _url_of(request), headers=fields, body=body)
        answer = http.send_all([sent])[0]
        if isinstance(answer, http.HttpError):
            given = {"request_sent": answer.request_sent, "is_repeatable": sent.is_repeatable}
            raise GateError(answer.reason, answer.code, answer.message, **given)
        return Answer(answer, request.full_url)

    https_open = http_open

    def http_error_default(
        self, request: urllib.request.Request, answer: IO[bytes], _status: int, _message: str, _headers: HTTPMessage
    ) -> None:
        """Called by `urllib.request` for a status that no other handler wants."""
        if isinstance(answer, Answer):
            raise StatusError(request.full_url, answer)


def install() -> dict[str, Any]:
    """Lets `urlopen`, and openers that are built from now on, send by Weir; gives what was there before."""
    before = {name: getattr(urllib.request, name, None) for name in _WAYS}
    opener = urllib.request.OpenerDirector()
    # Not what `build_opener` adds: a proxy would be that of the machine that builds, and a component has no files.
    for handler in (Handler, urllib.request.UnknownHandler, urllib.request.HTTPErrorProcessor):
        opener.add_handler(handler())
    restore({"_opener": opener, "HTTPHandler": Handler, "HTTPSHandler": Handler})
    return before


def restore(ways: dict[str, Any]) -> None:
    """Puts back what `install` gave."""
    for name, way in ways.items():
        setattr(urllib.request, name, way)


def _url_of(request: urllib.request.Request) -> str:
    """The path alone where the connection's base URL is meant."""
    path = request.full_url.removeprefix(BASE_URL)
    # Another host may begin with the same letters.
    return path if path[:1] in ("", "/", "?", "#") else request.full_url


def _bytes_of(data: Any) -> bytes:
    """A body as `urllib.request` takes it: bytes, a file, or pieces."""
    if data is None:
        return b""
    if isinstance(data, str):
        raise TypeError("POST data should be bytes, an iterable of bytes, or a file object; encode the text")
    if hasattr(data, "read"):
        data = data.read()
    return bytes(data) if isinstance(data, (bytes, bytearray, memoryview)) else b"".join(data)
