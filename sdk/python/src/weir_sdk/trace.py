"""Makes an `internal` fault of an exception, with the plugin's own line as `at` and the traceback.

The standard `traceback` module looks source files up on the disk, and a sandbox has none: the lines of the plugin's own
files are taken along when the component is built (`remember_sources`).
"""

from __future__ import annotations

import enum
import os
import re
import sys
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

from .fault import Fault

__all__ = ["fault_of", "place_of", "remember_sources"]

# Deep recursion is the usual reason for more, and then the ends say everything.
_FRAMES_MAX = 20

# Folders that are not the plugin's: this package, and the standard library (`os` itself has no file in a component).
_FOREIGN = (os.path.dirname(__file__) + os.sep, os.path.dirname(enum.__file__) + os.sep)

# componentize-py mounts the folders of the Python path as `/0`, `/1` and so on.
_MOUNT = re.compile(r"^/\d+/")

# Where the plugin runs natively. Asked now, because a plugin may not look around once it is called.
_FOLDER = "" if sys.platform == "wasi" else os.getcwd() + os.sep

_sources: dict[str, list[str]] = {}


def fault_of(error: BaseException) -> Fault:
    """The fault of any exception; a `Fault` is its own, and others may know theirs by `to_fault()`."""
    if isinstance(error, Fault):
        return error
    meant = _meant(error)
    if meant is not None:
        return meant
    fault = Fault.internal(_said(error))
    frames = list(_frames(error.__traceback__))
    own = [frame for frame in frames if _is_own(frame[0].f_code.co_filename)]
    if own:
        frame, line = own[-1]
        fault.detail("at", f"{_shown(frame.f_code.co_filename)}:{line}")
    fault.detail("traceback", _traceback_text(frames, fault.message))
    for cause in _causes(error):
        fault.detail("cause", _said(cause))
    return fault


def _meant(error: BaseException) -> Fault | None:
    try:
        meant = error.to_fault()  # type: ignore[attr-defined]
    except Exception:
        return None  # It has none, or fails to give it: then its own name and line say more.
    return meant if isinstance(meant, Fault) else None


def _said(error: BaseException) -> str:
    name = type(error).__name__
    try:
        said = str(error)
    except Exception as another:
        return f"{name}, whose text failed with {type(another).__name__}"
    return f"{name}: {said}" if said else name


def place_of(function: Callable[..., Any]) -> str:
    """Where a function is defined."""
    code = function.__code__
    return f"{_shown(code.co_filename)}:{code.co_firstlineno}"


def remember_sources() -> None:
    """Takes the source of every loaded module that is the plugin's along, for tracebacks without a disk."""
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if path and path.endswith(".py") and _is_own(path):
            with open(path, encoding="utf-8") as file:
                _sources[path] = file.read().splitlines()


def _is_own(path: str) -> bool:
    return not path.startswith((*_FOREIGN, "<"))


def _shown(path: str) -> str:
    if _MOUNT.match(path):
        return _MOUNT.sub("", path)
    return path.removeprefix(_FOLDER)


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen = {id(error)}
    while True:
        following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if following is None or id(following) in seen:
            return
        seen.add(id(following))
        yield following
        error = following


def _traceback_text(frames: list[tuple[FrameType, int]], message: str) -> str:
    lines = ["Traceback (most recent call last):"]
    shown = frames
    if len(frames) > _FRAMES_MAX:
        half = _FRAMES_MAX // 2
        shown = frames[:half] + frames[-half:]
    for index, (frame, line) in enumerate(shown):
        if index == _FRAMES_MAX // 2 and len(shown) < len(frames):
            lines.append(f"  … {len(frames) - len(shown)} frames …")
        path = frame.f_code.co_filename
        if path.startswith(_FOREIGN[0]):
            continue  # This package's own frames say nothing about the plugin.
        lines.append(f'  File "{_shown(path)}", line {line}, in {frame.f_code.co_name}')
        source = _sources.get(path, ())
        if line <= len(source):
            lines.append(f"    {source[line - 1].strip()}")
    return "\n".join([*lines, message])
