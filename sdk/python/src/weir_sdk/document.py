"""What goes into a plugin and comes out of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from . import json, typed
from .boundary import octets, pairs, text
from .fault import Fault

__all__ = ["Context", "Document", "Documents", "Origin"]


@dataclass
class Document:
    """Bytes with a media type: a payload, the input of a step, its output."""

    content_type: str
    """The media type (RFC 9110, section 8.3.1), such as `application/json`."""
    data: bytes
    """The bytes, as they came or as they are to go out. Weir does not change them."""
    metadata: list[tuple[str, str]] = field(default_factory=list)
    """What the format cannot say: file names, row numbers, header fields."""

    @classmethod
    def json(cls, value: Any) -> Self:
        """A document of `application/json`. Raises `TypeError` or `ValueError` if the value cannot be written so."""
        return cls("application/json", json.dumps(value))

    @property
    def is_json(self) -> bool:
        """Whether the media type is JSON or built on it (RFC 6839, section 3.1), or not said."""
        essence = self.content_type.partition(";")[0].strip().lower()
        return essence in ("", "application/json") or essence.endswith("+json")

    def read(self, hint: Any = Any, *, is_strict: bool = False) -> Any:
        """Itself if a `Document` is asked for, else its JSON as that type. Raises an `invalid-input` fault."""
        if hint is Document:
            return self
        if not self.is_json:
            message = f"the input is `{self.content_type}`, and JSON is needed"
            raise Fault.invalid_input(message, code="content-type")
        return read_json(self.data, hint, is_strict=is_strict)


def read_json(text: bytes | str, hint: Any, *, is_strict: bool = False) -> Any:
    """Reads JSON as a type. Raises an `invalid-input` fault that names the field."""
    try:
        return typed.reader(hint, is_strict=is_strict)(json.loads(text), "")
    except json.JsonError as error:
        raise Fault.invalid_input(f"the input is not JSON: {error}", code="malformed-json") from None
    except typed.Mismatch as mismatch:
        if mismatch.is_malformed:
            message = f"the input is not JSON: `{mismatch.pointer}` {mismatch.message}"
            raise Fault.invalid_input(message, code="malformed-json") from None
        fields = {mismatch.pointer: mismatch.message}
        where = f"`{mismatch.pointer}` " if mismatch.pointer else "it "
        raise Fault.invalid_input(f"the input does not fit: {where}{mismatch.message}", fields=fields) from None


class Documents(list[Document]):
    """Several documents, or none. A mapper that gives an ordinary list gives one document, a JSON array."""

    @classmethod
    def none(cls) -> Self:
        """The event goes no further here."""
        return cls()

    @classmethod
    def split(cls, items: Iterable[Any]) -> Self:
        """Each goes on by itself: a `Document` as it is, anything else as JSON."""
        return cls(as_document(item) for item in items)


def as_document(value: Any) -> Document:
    """A `Document` as it is, anything else as JSON. Raises `TypeError` or `ValueError` if it cannot go out so."""
    if not isinstance(value, Document):
        return Document.json(value)
    value.content_type = text("content_type", value.content_type)
    value.data = octets("data", value.data)
    value.metadata = pairs("metadata", value.metadata)
    return value


@dataclass
class Origin:
    """Where an event came from: the context attributes of CloudEvents 1.0, and what the transport said."""

    id: str = "1"
    """Unique at the source. Weir's own id of the event where the sender gave none."""
    source: str = "/test"
    """A URI reference. The path of the webhook where the sender gave none."""
    kind: str = "test"
    """`type`: what happened, such as `com.example.order.created`."""
    subject: str | None = None
    """What it happened to."""
    time: str | None = None
    """When it happened, as the sender wrote it."""
    received: str = "2026-11-23T00:00:00.000Z"
    """When Weir had received the whole event, in RFC 3339. The only clock that a mapper has."""
    schema: str | None = None
    """`dataschema`: a URI."""
    extensions: list[tuple[str, str]] = field(default_factory=list)
    """Extension attributes."""
    transport: list[tuple[str, str]] = field(default_factory=list)
    """What the transport said: `method`, `path`, `query`, each header field as `header.NAME` in lower case."""


@dataclass
class Context:
    """The circumstances of a connector's call."""

    execution: str = "exe_00000000000000000000000000-0"
    """The execution."""
    step: str = "step"
    """The step of the flow."""
    idempotency_key: str = "key-1"
    """The same for every attempt of the step."""
    attempt: int = 1
    """Counts from 1."""
    remaining_ms: int = 30_000
    """How long the call may still take. Whatever runs longer is ended."""
    connection: str = "test"
    """The name of the connection; empty if the step has none."""
    account: str | None = None
    """Whose account the connection is, as the role `connection` said."""
    settings: str = "{}"
    """The connection's settings as a JSON object; see `read_settings`. Never anything secret."""
    extra: list[tuple[str, str]] = field(default_factory=list)
    """What later versions add."""

    def read_settings(self, hint: Any = dict) -> Any:
        """The connection's settings, such as tenant and region. Raises `invalid-input` if they do not fit."""
        try:
            return read_json(self.settings or "{}", hint)
        except Fault as fault:
            message = f"the settings of connection `{self.connection}`: {fault.message}"
            raise Fault.invalid_input(message, code="settings") from None
