"""What is different inside a component, so that ordinary Python ends in an exception with a name, never in a trap.

A component built with `--stub-wasi` has no files, no sockets, no clock and no source of randomness: the first call of any
of them would trap, and a trap says nothing. So before the first call the ways there are closed by exceptions that say what
to do.

The ways are closed in the modules in C. They are there anyway, and `datetime`, `random` and `socket` take their names from
them when a plugin imports those.
"""

from __future__ import annotations

import _datetime  # type: ignore[import-not-found]
import _io
import _random
import _socket
import builtins
import codecs
import functools
import gc
import importlib
import importlib.machinery
import io
import logging
import os
import select
import sys
import time
from collections.abc import Callable, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

from . import lasting, log, trace
from .plugin import REGISTRY

__all__ = ["NO_CHANCE", "NO_CLOCK", "NO_FILES", "NO_SOCKETS", "guard", "is_sealed", "prepare", "seal"]

NO_FILES = "a plugin has no files: take what it needs as constants, or as settings of the connection"
NO_SOCKETS = "a plugin has no sockets: send requests through `weir_sdk.http` or `urllib.request`"
NO_CLOCK = "a plugin has no clock: a mapper has `origin.received`, a destination sends `Date`"
NO_CHANCE = "a plugin has no source of randomness: make ids of the event's id or of the idempotency key"

_OPENERS = ("open", "open_code", "FileIO")
_FILES = (
    "access",
    "chdir",
    "close",
    "closerange",
    "device_encoding",
    "getcwd",
    "isatty",
    "link",
    "listdir",
    "lstat",
    "mkdir",
    "open",
    "read",
    "readinto",
    "readlink",
    "remove",
    "rename",
    "replace",
    "rmdir",
    "scandir",
    "stat",
    "symlink",
    "truncate",
    "unlink",
    "utime",
    "write",
)
_CLOCKS = (
    "get_clock_info",
    "monotonic",
    "monotonic_ns",
    "perf_counter",
    "perf_counter_ns",
    "process_time",
    "process_time_ns",
    "sleep",
    "time",
    "time_ns",
)
_SOCKETS = ("getaddrinfo", "gethostbyaddr", "gethostbyname", "gethostbyname_ex", "getnameinfo", "socket")

_CLOSED: tuple[tuple[ModuleType, tuple[str, ...], type[Exception], str], ...] = (
    (builtins, ("open",), PermissionError, NO_FILES),
    (io, _OPENERS, PermissionError, NO_FILES),
    (_io, _OPENERS, PermissionError, NO_FILES),
    (os, _FILES, PermissionError, NO_FILES),
    (_socket, _SOCKETS, PermissionError, NO_SOCKETS),
    (select, ("poll", "select"), PermissionError, NO_SOCKETS),
    (time, _CLOCKS, RuntimeError, NO_CLOCK),
    (os, ("times",), RuntimeError, NO_CLOCK),
    (os, ("urandom",), RuntimeError, NO_CHANCE),
)

# They ask for the time where they are not given one, as the argument of this number.
_FORMATTERS = {"asctime": 1, "ctime": 1, "gmtime": 1, "localtime": 1, "strftime": 2}

# What the standard library would import, or look up, at the first call of something ordinary.
_LATE_MODULES = {"datetime": "_strptime", "time": "_strptime"}
_CODECS = ("ascii", "latin-1", "iso-8859-15", "cp1252", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")

_is_sealed = False


class _Refusal:
    """Refuses what was not imported while the component was built: there is no disk to read it from."""

    @staticmethod
    def find_spec(name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None) -> NoReturn:
        message = f"`{name}` is imported while the plugin runs; import it at the top of the module, and build again"
        raise ModuleNotFoundError(message, name=name)


def guard() -> None:
    """Called first of all while the component is built: from here on, whatever takes a name of `time.time` or `open` takes
    one that is closed later."""
    for module, names, kind, message in _CLOSED:
        for name in names:
            _replace(module, name, kind, message)
    for name, number in _FORMATTERS.items():
        _replace(time, name, RuntimeError, NO_CLOCK, number)
    for name in ("now", "utcnow"):
        _replace_class_method(_datetime.datetime, name, RuntimeError, NO_CLOCK)
    # What every generator, and `random.seed` itself, comes to.
    _random.Random.seed = _closing(_random.Random.seed, RuntimeError, NO_CHANCE, 2)  # type: ignore[method-assign]
    random = sys.modules.get("random")
    if random is not None:
        random._urandom = os.urandom  # type: ignore[attr-defined]


def prepare() -> None:
    """Called last of all while the component is built, behind the plugin's module."""
    REGISTRY.prepare()
    for module, late in _LATE_MODULES.items():
        if module in sys.modules:
            importlib.import_module(late)
    if "urllib.request" in sys.modules:
        importlib.import_module("weir_sdk.urllib").install()
    for codec in _CODECS:
        codecs.lookup(codec)
    trace.remember_sources()
    # Nobody types there; natively it is what the host says.
    sys.stdin = io.StringIO()
    # Every record of `logging` asks for the time, which the host notes anyway.
    logging.time = SimpleNamespace(time_ns=lambda: 0, time=lambda: 0.0)  # type: ignore[attr-defined]
    logging.basicConfig(level=logging.INFO, handlers=[log.Handler()], force=True)
    sys.stdout, sys.stderr = log.Stream("info"), log.Stream("warn")
    # What was made until now lives as long as the component: no call need count it, nor the collector look at it.
    gc.collect()
    if sys.platform == "wasi":
        lasting.note()
    gc.freeze()


def is_sealed() -> bool:
    """Whether the plugin has been called."""
    return _is_sealed


def seal() -> None:
    """Called at the beginning of every call; closes the ways once."""
    global _is_sealed
    if _is_sealed:
        return
    _is_sealed = True
    # Modules that are part of the interpreter need no disk.
    sys.meta_path[:] = [importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter, _Refusal]


def _replace(module: ModuleType, name: str, kind: type[Exception], message: str, number: int | None = None) -> None:
    original = getattr(module, name, None)
    if original is None:
        return  # Of another version of Python.
    closed: Any
    if isinstance(original, type):
        # Without slots of its own, because `socket.socket` adds one that may be there once only.
        begin: Any = original.__dict__["__init__"]
        closed = type(name, (original,), {"__slots__": (), "__init__": _closing(begin, kind, message)})
    else:
        # What is written in C does not become a method where a class takes it along, as in `converter = time.gmtime`.
        closed = staticmethod(_closing(original, kind, message, number))
    setattr(module, name, closed)


def _replace_class_method(owner: type, name: str, kind: type[Exception], message: str) -> None:
    """Types in C take no new attributes. But what they have is looked up in a dict, to which the collector leads."""
    attributes = gc.get_referents(owner.__dict__)[0]
    original = attributes[name]

    def call(cls: type, *arguments: Any, **named: Any) -> Any:
        return original.__get__(None, cls)(*arguments, **named)

    attributes[name] = classmethod(_closing(call, kind, message))


def _closing(
    original: Callable[..., Any], kind: type[Exception], message: str, number: int | None = None
) -> Callable[..., Any]:
    """The same until the plugin is called; from then on an exception, unless the argument of this number is given."""

    @functools.wraps(original)
    def call(*arguments: Any, **named: Any) -> Any:
        if _is_sealed and (number is None or len(arguments) < number or arguments[number - 1] is None):
            raise kind(message)
        return original(*arguments, **named)

    return call
