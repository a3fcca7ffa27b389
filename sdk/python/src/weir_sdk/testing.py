"""Tests that run natively, without WebAssembly and without a network: the plugin's functions as Weir would call them, and
a script of the requests that they may make. They work with `unittest`, `pytest`, or nothing at all.

>>> with Script((Request("GET", "/ping"), Reply.json(200, {"ok": True}))):
...     receipt = invoke(ping, {})
>>> assert receipt.output.read() == {"ok": True}
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from . import http, json, plugin, trace, urllib
from .document import Context, Document, Origin, as_document
from .http import HttpError, HttpFaultKind, PreparedRequest, Request, Response
from .plugin import Call, Identity, Receipt, Settlement

__all__ = ["Reply", "Script", "check", "invoke", "transform", "transform_json", "verify"]


class Reply:
    """A scripted answer."""

    def __init__(
        self,
        status: int = 200,
        body: bytes = b"",
        headers: Sequence[tuple[str, str]] = (),
        fault: tuple[HttpFaultKind, bool] | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.headers = [(name.lower(), value) for name, value in headers]
        self._fault = fault

    @classmethod
    def json(cls, status: int, body: Any, headers: Sequence[tuple[str, str]] = ()) -> Self:
        """An answer of JSON."""
        return cls(status, json.dumps(body), [("content-type", "application/json"), *headers])

    @classmethod
    def fault(cls, kind: HttpFaultKind, *, request_sent: bool) -> Self:
        """No answer."""
        return cls(fault=(kind, request_sent))

    def answer(self, request: PreparedRequest) -> Response | HttpError:
        """What the plugin gets."""
        if self._fault is None:
            return Response(self.status, request.url, self.headers, self.body, request.is_repeatable)
        kind, sent = self._fault
        message = f"scripted: {kind.value}"
        return HttpError(kind, "scripted", message, request_sent=sent, is_repeatable=request.is_repeatable)


class Script:
    """The requests that a test expects, in their order, each with its answer. An unexpected one fails the test, and so does
    one that was expected and not made.

    Method, URL, credential and body must be the same, JSON by value; of the header fields those that are written in the
    script must be there. `urllib.request` sends by the script too.
    """

    def __init__(self, *exchanges: tuple[Request, Reply]) -> None:
        self._left = [(request.prepared(), reply) for request, reply in exchanges]
        self._before: http.Transport | None = None
        self._ways: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._before = http.use(self)
        self._ways = urllib.install()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            http.use(self._before)
        urllib.restore(self._ways)
        if error is None and self._left:
            missing = ", ".join(f"{request.method} {request.url}" for request, _ in self._left)
            raise AssertionError(f"expected and not made: {missing}")

    def send_all(self, requests: Sequence[PreparedRequest]) -> list[Response | HttpError]:
        """What the plugin calls."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: PreparedRequest) -> Response | HttpError:
        if not self._left:
            raise AssertionError(f"unexpected request: {request}")
        expected, reply = self._left.pop(0)
        what = f"{request.method} {request.url}"
        _compare("request", (request.method, request.url), (expected.method, expected.url))
        _compare(f"credential of {what}", request.auth, expected.auth)
        sent = {name.lower(): value for name, value in reversed(request.headers)}
        for name, value in expected.headers:
            _compare(f"header field {name} of {what}", sent.get(name.lower()), value)
        _compare(f"body of {what}", _by_value(request.body), _by_value(expected.body))
        return reply.answer(request)


def transform(
    function: Callable[..., Any], input: Any, *, origin: Origin | None = None, options: Any = None
) -> list[Document]:
    """Maps a `Document`, or a value as JSON, as of an event of kind `test`."""
    text = json.dumps({} if options is None else options).decode("utf-8")
    return plugin.run_mapper(_bound(function), origin or Origin(), as_document(input), text)


def transform_json(function: Callable[..., Any], input: Any, **further: Any) -> list[Any]:
    """The same, and each of the documents read as JSON."""
    return [document.read() for document in transform(function, input, **further)]


def invoke(
    function: Callable[..., Any], input: Any, *, cursor: str | None = None, context: Context | None = None
) -> Receipt:
    """Carries an action out with a `Document`, or a value as JSON, and key `key-1`."""
    return plugin.run_action(_bound(function), _call(input, cursor, context))


def verify(function: Callable[..., Any], input: Any, *, context: Context | None = None) -> Settlement:
    """Settles a call."""
    return plugin.run_verification(_bound(function), _call(input, None, context))


def check(function: Callable[..., Any], *, context: Context | None = None) -> Identity:
    """Tests a connection."""
    return plugin.run_check(_bound(function), context or Context())


fault_of = trace.fault_of
"""The fault that Weir would see for an exception."""


def _bound(function: Callable[..., Any]) -> plugin.Bound:
    bound: plugin.Bound | None = getattr(function, "__weir__", None)
    if bound is None:
        raise TypeError(f"`{function.__name__}` has no decorator of `weir_sdk`")
    return bound


def _call(input: Any, cursor: str | None, context: Context | None) -> Call:
    return Call("test", as_document(input), cursor, context or Context())


def _by_value(body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JsonError:
        return body


def _compare(what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, and {expected!r} was expected")
