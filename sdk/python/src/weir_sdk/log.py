"""Lines for whoever looks at the execution: `log.info("created the contact", id=contact_id)`.

The standard `logging` and `print` end here too. Never log personal data, whole payloads, or anything secret. In native
tests the lines go to the standard error stream.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["Handler", "debug", "error", "info", "warn"]

Write = Callable[[str, str, list[tuple[str, str]]], None]


def _write_to_stderr(level: str, message: str, fields: list[tuple[str, str]]) -> None:
    print(f"{level}: {message}", *(f"{name}={value}" for name, value in fields), file=sys.stderr)


_write: Write = _write_to_stderr


def use(write: Write) -> None:
    """Lets lines go by another way."""
    global _write
    _write = write


def debug(message: str, **fields: Any) -> None:
    """Adds a line for the plugin's author."""
    _write("debug", message, _texts(fields))


def info(message: str, **fields: Any) -> None:
    """Adds a line for whoever looks at the execution."""
    _write("info", message, _texts(fields))


def warn(message: str, **fields: Any) -> None:
    """Adds a line about something that is off, while the call goes on."""
    _write("warn", message, _texts(fields))


def error(message: str, **fields: Any) -> None:
    """Adds a line about something that failed."""
    _write("error", message, _texts(fields))


def _texts(fields: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in fields.items()]


class Handler(logging.Handler):
    """Lets the standard `logging` write lines of the execution. Installed in the component; the level there is `INFO`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Adds the record as a line, with the logger's name."""
        if record.levelno >= logging.ERROR:
            level = "error"
        elif record.levelno >= logging.WARNING:
            level = "warn"
        else:
            level = "info" if record.levelno >= logging.INFO else "debug"
        fields = [("logger", record.name)]
        if record.exc_info and record.exc_info[1] is not None:
            # The formatter would look for the sources on the disk.
            fault = record.exc_info[1]
            fields.append(("exception", f"{type(fault).__name__}: {fault}"))
        _write(level, record.getMessage(), fields)


class Stream:
    """Stands in for `sys.stdout` and `sys.stderr` in the component: each line becomes one of the execution."""

    encoding = "utf-8"

    def __init__(self, level: str) -> None:
        self._level = level
        self._begun = ""

    def write(self, text: str) -> int:
        """Keeps what has no end of line yet."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            if line:
                _write(self._level, line, [])
        return len(text)

    def flush(self) -> None:
        """Nothing is held back but a line that has not ended."""

    def isatty(self) -> bool:
        """Nobody types there."""
        return False
