"""What crosses to the host is of the types that the contract says. Anything else would trap in a component, without a word.

So it is looked at where functions of the plugin have given it, natively too. An integer is taken where a text is needed:
ids are numbers in much of the world's JSON, and `Receipt(created, external_id=created["id"])` is easily written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["octets", "pairs", "text", "text_or_none"]


def text(name: str, value: Any) -> str:
    """A text. Raises `TypeError` with its name, or `ValueError` if it holds half a surrogate pair."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be a str, and is of type {type(value).__name__}")
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError(f"`{name}` holds half a surrogate pair") from None
    return value


def text_or_none(name: str, value: Any) -> str | None:
    """A text that may be left out."""
    return None if value is None else text(name, value)


def octets(name: str, value: Any) -> bytes:
    """Bytes. Raises `TypeError` with their name."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"`{name}` must be bytes, and is of type {type(value).__name__}")
    return bytes(value)


def pairs(name: str, value: Any) -> list[tuple[str, str]]:
    """Pairs of texts, from a dict too."""
    items = value.items() if isinstance(value, Mapping) else value
    return [(text(name, first), text(name, second)) for first, second in items]
