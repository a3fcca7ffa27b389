"""The plugin as the host calls it. Only imported in a component, where `wit_world` is what componentize-py made of the
plugin's own world: a module for each role, because a world without a role has no types for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from componentize_py_types import Err
from wit_world.imports import log as wit_log
from wit_world.imports import types as wit

from .. import log, sandbox, trace
from ..document import Document
from ..fault import Fault

Given = TypeVar("Given")


def _write(level: str, message: str, fields: list[tuple[str, str]]) -> None:
    pairs = [(_text(name), _text(value)) for name, value in fields]
    wit_log.write(wit_log.Level[level.upper()], _text(message), pairs)


log.use(_write)


def guarded(call: Callable[[], Given]) -> Given:
    """Calls, and lets every exception become a fault: even one that would end the interpreter."""
    sandbox.seal()
    try:
        return call()
    except BaseException as error:
        raise Err(_lower_fault(trace.fault_of(error))) from None


def lower(document: Document) -> wit.Document:
    """The document as it crosses the boundary."""
    return wit.Document(document.content_type, document.data, document.metadata)


def lift(document: wit.Document) -> Document:
    """The document as the plugin sees it."""
    return Document(document.content_type, document.data, document.metadata)


def _lower_fault(fault: Fault) -> wit.Fault:
    return wit.Fault(
        wit.FaultKind[fault.kind.name],
        _text(fault.code),
        _text(fault.message),
        fault.retry_after_ms,
        [wit.FieldFault(_text(field.pointer), _text(field.message)) for field in fault.fields],
        [(_text(name), _text(value)) for name, value in fault.details],
    )


def _text(value: object) -> str:
    # Half a surrogate pair from the data would trap on its way out, and with it the whole fault or line.
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")
