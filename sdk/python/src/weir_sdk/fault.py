"""How a call fails. A fault is an exception: `raise Fault.not_found("the contact was deleted")`."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = ["Fault", "FaultKind", "FieldFault", "Pairs", "to_milliseconds"]

# The contract counts milliseconds in 32 bits; longer times become the longest, which is 49 days.
_MILLISECONDS_MAX = 2**32 - 1

Pairs = Mapping[str, str] | Iterable[tuple[str, str]]
"""Pairs of text, as a dict or as a list where a name may repeat."""


class FaultKind(enum.Enum):
    """What went wrong, as far as Weir must tell cases apart. Weir, not the plugin, decides what follows."""

    INVALID_INPUT = "invalid-input"
    """The data cannot be processed; somebody has to mend it. The execution is parked."""
    UNAUTHORIZED = "unauthorized"
    """The destination does not accept the credential."""
    FORBIDDEN = "forbidden"
    """The credential is accepted and not sufficient."""
    NOT_FOUND = "not-found"
    """What the call is about does not exist."""
    CONFLICT = "conflict"
    """The state of the destination contradicts the call."""
    RATE_LIMITED = "rate-limited"
    """Too many calls. Tried again, not before the time that the destination asked for."""
    UNAVAILABLE = "unavailable"
    """The destination cannot be reached or cannot answer now, and the call had no effect. Tried again."""
    TIMEOUT = "timeout"
    """No answer in time, and the call had no effect or may be repeated. Tried again."""
    REJECTED = "rejected"
    """The destination understood the call and declined it."""
    UNKNOWN_OUTCOME = "unknown-outcome"
    """The call may or may not have had its effect."""
    INTERNAL = "internal"
    """A fault in the plugin: an exception, a case that cannot be. Tried a few times, then parked."""


class FieldFault:
    """One field at fault: a JSON Pointer (RFC 6901) into the input, and what is wrong, in a sentence."""

    __slots__ = ("message", "pointer")

    def __init__(self, pointer: str, message: str) -> None:
        self.pointer = pointer
        self.message = message

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FieldFault):
            return NotImplemented
        return (self.pointer, self.message) == (other.pointer, other.message)

    def __hash__(self) -> int:
        return hash((self.pointer, self.message))

    def __repr__(self) -> str:
        return f"FieldFault({self.pointer!r}, {self.message!r})"


class Fault(Exception):
    """How a call failed. Its kind decides what Weir does next, so it is chosen by name:

    >>> raise Fault.rate_limited(after=30)
    >>> raise Fault.invalid_input("the lead cannot be filed", fields={"/email": "is missing"})
    >>> raise Fault.not_found("the contact was deleted", code="contact-deleted")

    Any other exception becomes an `internal` fault with its traceback. Never put anything secret into a fault.
    """

    def __init__(
        self,
        kind: FaultKind,
        code: str,
        message: str,
        *,
        retry_after: float | timedelta | None = None,
        fields: Pairs = (),
        details: Pairs = (),
    ) -> None:
        super().__init__(message)
        # What is no kind, or no pair, is told here, where the traceback has the plugin's own line.
        self.kind = FaultKind(kind)
        self.code = code
        self.message = message
        self.retry_after = _to_seconds(retry_after)
        self.fields = [FieldFault(pointer, text) for pointer, text in _pairs(fields)]
        self.details = [(name, text) for name, text in _pairs(details)]

    def field(self, pointer: str, message: str) -> Self:
        """Itself, with one more field at fault."""
        self.fields.append(FieldFault(pointer, message))
        return self

    def detail(self, name: str, value: str) -> Self:
        """Itself, with one more detail."""
        self.details.append((name, value))
        return self

    @property
    def retry_after_ms(self) -> int | None:
        """The time to wait, as the contract counts it."""
        return to_milliseconds(self.retry_after)

    def __str__(self) -> str:
        return f"{self.kind.value} ({self.code}): {self.message}"

    @classmethod
    def invalid_input(
        cls, message: str, *, code: str = "invalid-input", fields: Pairs = (), details: Pairs = ()
    ) -> Fault:
        """The data cannot be processed; somebody has to mend it. Name the fields."""
        return Fault(FaultKind.INVALID_INPUT, code, message, fields=fields, details=details)

    @classmethod
    def unauthorized(cls, message: str, *, code: str = "unauthorized", details: Pairs = ()) -> Fault:
        """The destination does not accept the credential."""
        return Fault(FaultKind.UNAUTHORIZED, code, message, details=details)

    @classmethod
    def forbidden(cls, message: str, *, code: str = "forbidden", details: Pairs = ()) -> Fault:
        """The credential is accepted and not sufficient."""
        return Fault(FaultKind.FORBIDDEN, code, message, details=details)

    @classmethod
    def not_found(cls, message: str, *, code: str = "not-found", details: Pairs = ()) -> Fault:
        """What the call is about does not exist."""
        return Fault(FaultKind.NOT_FOUND, code, message, details=details)

    @classmethod
    def conflict(cls, message: str, *, code: str = "conflict", details: Pairs = ()) -> Fault:
        """The state of the destination contradicts the call."""
        return Fault(FaultKind.CONFLICT, code, message, details=details)

    @classmethod
    def rate_limited(
        cls,
        message: str = "too many calls",
        *,
        after: float | timedelta | None = None,
        code: str = "rate-limited",
        details: Pairs = (),
    ) -> Fault:
        """Too many calls; the destination asks to wait so long."""
        return Fault(FaultKind.RATE_LIMITED, code, message, retry_after=after, details=details)

    @classmethod
    def unavailable(
        cls,
        message: str,
        *,
        after: float | timedelta | None = None,
        code: str = "unavailable",
        details: Pairs = (),
    ) -> Fault:
        """The destination cannot be reached or cannot answer now, and the call had no effect."""
        return Fault(FaultKind.UNAVAILABLE, code, message, retry_after=after, details=details)

    @classmethod
    def timeout(cls, message: str, *, code: str = "timeout", details: Pairs = ()) -> Fault:
        """No answer in time, and the call had no effect or may be repeated."""
        return Fault(FaultKind.TIMEOUT, code, message, details=details)

    @classmethod
    def rejected(cls, message: str, *, code: str = "rejected", details: Pairs = ()) -> Fault:
        """The destination understood the call and declined it."""
        return Fault(FaultKind.REJECTED, code, message, details=details)

    @classmethod
    def unknown_outcome(cls, message: str, *, code: str = "unknown-outcome", details: Pairs = ()) -> Fault:
        """The call may or may not have had its effect."""
        return Fault(FaultKind.UNKNOWN_OUTCOME, code, message, details=details)

    @classmethod
    def internal(cls, message: str, *, code: str = "internal", details: Pairs = ()) -> Fault:
        """A case that cannot be: a fault in the plugin."""
        return Fault(FaultKind.INTERNAL, code, message, details=details)


def to_milliseconds(seconds: float | None) -> int | None:
    """A time to wait, as the contract counts it. Less than none is none, and so is what is no number."""
    return None if seconds is None else int(max(0, min(seconds * 1000, _MILLISECONDS_MAX)))


def _pairs(pairs: Pairs) -> Iterable[tuple[str, str]]:
    return pairs.items() if isinstance(pairs, Mapping) else pairs


def _to_seconds(length: float | timedelta | None) -> float | None:
    if length is None or isinstance(length, (int, float)):
        return length
    return length.total_seconds()
