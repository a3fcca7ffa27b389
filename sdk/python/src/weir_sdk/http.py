"""Requests to the outside. Each passes Weir's gate and gets its credential after the plugin has let go of it.

>>> contacts = http.get("/contacts", query={"email": "ada@example.com"}).check().json(list[Contact])

Do not retry here: say by the fault what happened, and Weir repeats the step with backoff and the same key.

What becomes of an answer (`Response.check`):

| Status | Kind of fault |
| --- | --- |
| 2xx | none |
| 401 | `unauthorized` |
| 403 | `forbidden` |
| 404, 410 | `not-found` |
| 408 | `timeout` |
| 409, 412, 423 | `conflict` |
| 413, 422 | `invalid-input` |
| 425 | `unavailable` |
| 429 | `rate-limited`, with `Retry-After` |
| 502, 504 | `unavailable`; after a POST or PATCH `unknown-outcome`, because the gateway cannot say what became of it |
| 501, 505 | `rejected` |
| 500, 503, other 5xx | `unavailable`, with `Retry-After` |
| 3xx (Weir follows redirects), 400, other 4xx | `rejected` |

What becomes of a request without an answer (`HttpError`, which is a `Fault`):

| Why | Kind of fault |
| --- | --- |
| denied by the gate | `forbidden`; the message says how to allow it |
| unreachable, TLS | `unavailable` |
| no answer in time | `timeout` |
| broken | `unavailable` |
| too large | `rejected` |
| any, if bytes of a POST or PATCH had been sent | `unknown-outcome` |
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from . import json as codec
from . import typed
from .boundary import octets, pairs, text
from .document import Context
from .fault import Fault, FaultKind, Pairs

__all__ = [
    "ANONYMOUS",
    "Auth",
    "HttpError",
    "HttpFaultKind",
    "Request",
    "Response",
    "delete",
    "encode",
    "get",
    "patch",
    "post",
    "put",
    "send",
    "send_all",
]

# As much of an answer as goes into a fault: enough for a message, too little to hold a document.
_EXCERPT_BYTES_MAX = 512

# RFC 9110, section 9.2.2: sending one again has no further effect.
_REPEATABLE = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

# What each byte is written as: looked up, because a text may have a million of them.
_WRITTEN = [chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in range(256)]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class HttpFaultKind(enum.Enum):
    """Why there is no answer."""

    DENIED = "denied"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too-large"
    BROKEN = "broken"


@dataclass(frozen=True)
class Auth:
    """Which credential is added: by default the connection's, or another of its credentials, by its name."""

    name: str | None = None


ANONYMOUS = Auth("")
"""No credential: for addresses that carry their own permission, such as presigned ones."""


@dataclass
class Request:
    """A request. `json` makes a body in which data never becomes the place of a secret; in `body`, in the URL and in the
    values of header fields a `{{slot}}` stands for one, so keep data of the event out of those."""

    method: str
    """In capitals."""
    url: str
    """Absolute, or a path under the connection's base URL."""
    query: Pairs = ()
    """Parameters to add to the URL, percent-encoded."""
    headers: Pairs = ()
    """Header fields. Those that frame the message or authenticate are the host's: setting one is denied."""
    json: Any = None
    """A body of JSON, if it is not None."""
    body: bytes = b""
    """Any other body."""
    content_type: str | None = None
    """Its media type."""
    idempotency_key: Context | str | None = None
    """The step's context, for destinations that honour `Idempotency-Key`, or a key of your own."""
    auth: Auth = field(default_factory=Auth)
    """The credential."""

    @property
    def is_repeatable(self) -> bool:
        """Whether RFC 9110 says that sending it again has no further effect."""
        return self.method in _REPEATABLE

    def prepared(self) -> PreparedRequest:
        """What goes out."""
        headers = list(_items(self.headers))
        body, content_type = self.body, self.content_type
        if self.json is not None:
            # Two braces in a row occur within strings only, where a brace may be written by its number.
            body = codec.dumps(self.json).replace(b"{{", b"{\\u007b")
            content_type = content_type or "application/json"
        if content_type is not None:
            headers.append(("Content-Type", content_type))
        if self.idempotency_key is not None:
            key = self.idempotency_key
            headers.append(("Idempotency-Key", key.idempotency_key if isinstance(key, Context) else key))
        url = self.url
        for name, value in _items(self.query):
            url += f"{'&' if '?' in url else '?'}{encode(name)}={encode(value)}"
        method, url, body = text("method", self.method), text("url", url), octets("body", body)
        return PreparedRequest(method, url, pairs("headers", headers), body, self.auth, self.is_repeatable)


@dataclass
class PreparedRequest:
    """A request as the transport takes it."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes
    auth: Auth
    is_repeatable: bool


@dataclass
class Response:
    """An answer, after redirects."""

    status: int
    """The status."""
    url: str = ""
    """Where it came from, without anything secret."""
    headers: list[tuple[str, str]] = field(default_factory=list)
    """The header fields, names in lower case."""
    body: bytes = b""
    """The body, decompressed."""
    is_repeatable: bool = False
    """Whether the request was one that may be sent again."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 in it is replaced."""
        return self.body.decode("utf-8", "replace")

    def header(self, name: str) -> str | None:
        """The first header field of that name."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), None)

    def check(self) -> Response:
        """Itself if the status is 2xx. Raises the fault that the status means."""
        if self.is_success:
            return self
        raise self.to_fault()

    def to_fault(self) -> Fault:
        """The fault that the status means, for those who read the body first."""
        kind = self._fault_kind()
        fault = Fault(kind, f"http-{self.status}", f"the destination answered {self.status}")
        if kind in (FaultKind.RATE_LIMITED, FaultKind.UNAVAILABLE):
            fault.retry_after = self.retry_after
        excerpt = self.body[:_EXCERPT_BYTES_MAX].decode("utf-8", "replace").strip()
        return fault.detail("answer", excerpt) if excerpt else fault

    def json(self, hint: Any = Any) -> Any:
        """The body as JSON, read as a type if one is given.

        Raises `internal` if it is something else; after a POST or PATCH that succeeded `unknown-outcome`, because the
        effect is there and only its description was lost.
        """
        try:
            return typed.reader(hint)(codec.loads(self.body), "")
        except (codec.JsonError, typed.Mismatch) as error:
            where = f"`{error.pointer}` " if isinstance(error, typed.Mismatch) and error.pointer else ""
            message = f"the answer is not what was expected: {where}{error}"
            make = Fault.unknown_outcome if self.is_success and not self.is_repeatable else Fault.internal
            raise make(message, code="unexpected-answer") from None

    @property
    def retry_after(self) -> float | None:
        """`Retry-After` in seconds (RFC 9110, section 10.2.3). A date counts from the answer's own `Date`, for a plugin
        has no clock."""
        value = (self.header("retry-after") or "").strip()
        if value.isascii() and value.isdigit():
            return int(value)
        until, now = _parse_date(value), _parse_date(self.header("date") or "")
        return None if until is None or now is None else max(0, until - now)

    def _fault_kind(self) -> FaultKind:
        match self.status:
            case 401:
                return FaultKind.UNAUTHORIZED
            case 403:
                return FaultKind.FORBIDDEN
            case 404 | 410:
                return FaultKind.NOT_FOUND
            case 408:
                return FaultKind.TIMEOUT
            case 409 | 412 | 423:
                return FaultKind.CONFLICT
            case 413 | 422:
                return FaultKind.INVALID_INPUT
            case 425:
                return FaultKind.UNAVAILABLE
            case 429:
                return FaultKind.RATE_LIMITED
            case 501 | 505:
                return FaultKind.REJECTED
            case 502 | 504 if not self.is_repeatable:
                return FaultKind.UNKNOWN_OUTCOME
            case status if status >= 500:
                return FaultKind.UNAVAILABLE
            case _:
                return FaultKind.REJECTED


class HttpError(Fault):
    """A request without an answer. Left alone, it is the fault that the table above says."""

    def __init__(
        self, reason: HttpFaultKind, code: str, message: str, *, request_sent: bool, is_repeatable: bool
    ) -> None:
        kinds = {
            HttpFaultKind.DENIED: FaultKind.FORBIDDEN,
            HttpFaultKind.TIMEOUT: FaultKind.TIMEOUT,
            HttpFaultKind.TOO_LARGE: FaultKind.REJECTED,
        }
        kind = kinds.get(reason, FaultKind.UNAVAILABLE)
        if request_sent and not is_repeatable:
            kind = FaultKind.UNKNOWN_OUTCOME
        super().__init__(kind, code, message)
        self.reason = reason
        self.request_sent = request_sent


class Transport(Protocol):
    """What carries requests: the host, or a script in tests."""

    def send_all(self, requests: Sequence[PreparedRequest]) -> list[Response | HttpError]:
        """The answers stand in the order of the requests."""
        ...


class _Nowhere:
    def send_all(self, requests: Sequence[PreparedRequest]) -> list[Response | HttpError]:
        sent = ", ".join(f"{request.method} {request.url}" for request in requests)
        cure = "a mapper is pure, so send requests in an action; in a test, write a `weir_sdk.testing.Script`"
        raise RuntimeError(f"nobody answers {sent} here: {cure}")


_transport: Transport = _Nowhere()


def use(transport: Transport) -> Transport:
    """Lets requests go by another way; gives the one before."""
    global _transport
    before, _transport = _transport, transport
    return before


def send(request: Request) -> Response:
    """Sends a request and waits for the whole answer, whatever its status. Raises `HttpError` if there is none."""
    answer = send_all([request])[0]
    if isinstance(answer, HttpError):
        raise answer
    return answer


def send_all(requests: Iterable[Request]) -> list[Response | HttpError]:
    """Sends requests side by side. The answers, or why there is none, stand in the order of the requests."""
    return _transport.send_all([request.prepared() for request in requests])


def get(url: str, **further: Any) -> Response:
    """A GET; the further arguments are those of `Request`."""
    return send(Request("GET", url, **further))


def post(url: str, **further: Any) -> Response:
    """A POST; the further arguments are those of `Request`."""
    return send(Request("POST", url, **further))


def put(url: str, **further: Any) -> Response:
    """A PUT; the further arguments are those of `Request`."""
    return send(Request("PUT", url, **further))


def patch(url: str, **further: Any) -> Response:
    """A PATCH; the further arguments are those of `Request`."""
    return send(Request("PATCH", url, **further))


def delete(url: str, **further: Any) -> Response:
    """A DELETE; the further arguments are those of `Request`."""
    return send(Request("DELETE", url, **further))


def encode(text: str) -> str:
    """A text as one segment of a path or one part of a query, percent-encoded: `f"/contacts/{encode(id)}"`."""
    return "".join(map(_WRITTEN.__getitem__, text.encode("utf-8")))


def _items(pairs: Pairs) -> Iterable[tuple[str, str]]:
    return pairs.items() if isinstance(pairs, Mapping) else pairs


def _parse_date(text: str) -> int | None:
    """Seconds since 1970 of an IMF-fixdate (RFC 9110, section 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`."""
    try:
        _, rest = text.split(", ")
        day_text, name, year_text, clock, zone = rest.split(" ")
        hour, minute, second = (int(part) for part in clock.split(":"))
        year, month, day = int(year_text), _MONTHS.index(name), int(day_text)
    except ValueError:
        return None
    # Its length is fixed; day, month and year are written with all their digits.
    if len(text) != 29 or zone != "GMT" or not 1970 <= year <= 9999:
        return None
    if not 1 <= day <= 31 or hour > 23 or minute > 59 or second > 60:
        return None
    # Counted in years that begin in March, so that the leap day comes last.
    year, month = (year - 1, month + 10) if month < 2 else (year, month - 2)
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day
    return (days - 719_469) * 86_400 + hour * 3600 + minute * 60 + second
