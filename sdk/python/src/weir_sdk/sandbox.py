"""What is different inside a component, so that ordinary Python ends in an exception with a name, never in a trap.

A component built with `--stub-wasi` has no files, no clock and no source of randomness: the first call of any of them
would trap, and a trap says nothing. So before the first call the ways there are closed by exceptions that say what to do.
"""

from __future__ import annotations

import builtins
import codecs
import gc
import importlib
import importlib.machinery
import io
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

from . import lasting, log, trace
from .plugin import REGISTRY

__all__ = ["NO_FILES", "guard", "is_sealed", "prepare", "seal"]

NO_FILES = "a plugin has no files: take what it needs as constants, or as settings of the connection"
_NO_CLOCK = "a plugin has no clock: a mapper has `origin.received`, a destination sends `Date`"
_NO_CHANCE = "a plugin has no source of randomness: make ids of the event's id or of the idempotency key"

_FILES = (
    "open",
    "stat",
    "lstat",
    "listdir",
    "scandir",
    "mkdir",
    "remove",
    "unlink",
    "rename",
    "rmdir",
    "access",
    "getcwd",
)
_CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep")

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
    builtins.open = io.open = _closing(open, PermissionError, NO_FILES)
    for name in _FILES:
        setattr(os, name, _closing(getattr(os, name), PermissionError, NO_FILES))
    for name in _CLOCKS:
        setattr(time, name, _closing(getattr(time, name), RuntimeError, _NO_CLOCK))
    os.urandom = _closing(os.urandom, RuntimeError, _NO_CHANCE)
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


def _closing(original: Callable[..., Any], kind: type[Exception], message: str) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if _is_sealed:
            raise kind(message)
        return original(*arguments, **named)

    return call
