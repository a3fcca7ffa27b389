"""A lossless JSON codec: what was read is written back as it was, but for the white space between its parts.

- Integers are `int`, exact in any size.
- A number with a fraction or an exponent is a `Number`: a `Decimal` that remembers its text, so `1.10`, `1E5` and
  `12345678901234567890.123456789` are written as they came. Arithmetic with it gives an ordinary `Decimal`.
- The order of keys is kept. A key that is repeated holds its last value, as everywhere in Python; a dataclass that reads it
  refuses it.
- Text is written as it is, in UTF-8; half a surrogate pair, which JSON can say and UTF-8 cannot, as its escape.
- `NaN` and `Infinity` are no JSON: neither read nor written.
- At most 127 levels of nesting are read.

`float`s that a plugin made itself are written in the shortest form that reads back as the same `float`.
"""

from __future__ import annotations

import dataclasses
import enum
import json as standard
import re
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any, Self

__all__ = ["JsonError", "Number", "dumps", "loads"]

# Python refuses to make an `int` of more digits, because that takes quadratic time.
_INT_DIGITS_MAX = 4300

# Deeper ones would use up the stack of a sandbox, which ends the call without a word. Weir itself reads no deeper ones.
_DEPTH_MAX = 127

_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)

_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonError(ValueError):
    """The text is no JSON."""


class Number(Decimal):
    """A number that remembers how it was written.

    A number beyond what a `Decimal` can hold (an exponent of more than 18 digits) counts as infinite, or as zero.
    """

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        try:
            number = super().__new__(cls, text)
        except InvalidOperation:
            sign = "-" if text.startswith("-") else ""
            is_small = text.lower().partition("e")[2].startswith("-")
            number = super().__new__(cls, sign + ("0" if is_small else "Infinity"))
        number.text = text
        return number

    def __repr__(self) -> str:
        return f"Number({self.text!r})"

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.text,)


class RepeatedKeys(dict[str, Any]):
    """An object in which keys were repeated; `names` are those."""

    names: frozenset[str]


def loads(text: bytes | str) -> Any:
    """Reads JSON. Raises `JsonError` if it is something else."""
    try:
        if not isinstance(text, str):
            text = text.decode("utf-8")
        _check_depth(text)
        return _decoder.decode(text)
    except ValueError as error:  # A JSONDecodeError and a UnicodeDecodeError are such.
        raise JsonError(str(error)) from None


def dumps(value: Any) -> bytes:
    """Writes JSON without white space, as UTF-8.

    Takes what `loads` gives, and dataclasses, enums, tuples, `float` and `Decimal`. In a dataclass, a field that is `None`
    and whose default is `None` is left out.
    """
    parts: list[str] = []
    _write(value, parts.append)
    text = "".join(parts)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode("utf-8")


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= _DEPTH_MAX:
        return
    depth = 0
    for found in _STRUCTURE.finditer(text):
        mark = found[0]
        if mark in "[{":
            depth += 1
            if depth > _DEPTH_MAX:
                raise JsonError(f"it is nested more than {_DEPTH_MAX} levels deep")
        elif mark in "]}":
            depth -= 1


def json_name(field: dataclasses.Field[Any]) -> str:
    """The key of a dataclass's field: its name, or what `field(metadata={"json": "a/b"})` says."""
    return str(field.metadata.get("json", field.name))


def _write(value: Any, put: Any) -> None:
    match value:
        case str():
            put(encode_basestring(value))
        case None:
            put("null")
        case True:
            put("true")
        case False:
            put("false")
        case enum.Enum():
            _write(value.value, put)
        case int():
            put(_int_text(value))
        case Number():
            put(value.text)
        case Decimal() | float():
            put(_decimal_text(value))
        case dict():
            _write_object(value.items(), put)
        case list() | tuple():
            _write_array(value, put)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            _write_object(_members(value), put)
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def _write_object(members: Any, put: Any) -> None:
    before = "{"
    for name, value in members:
        if not isinstance(name, str):
            raise TypeError(f"the keys of a JSON object are text, not {type(name).__name__}")
        put(before)
        put(encode_basestring(name))
        put(":")
        _write(value, put)
        before = ","
    put("{}" if before == "{" else "}")


def _write_array(items: Any, put: Any) -> None:
    before = "["
    for item in items:
        put(before)
        _write(item, put)
        before = ","
    put("[]" if before == "[" else "]")


def _members(value: Any) -> Any:
    for field in dataclasses.fields(value):
        member = getattr(value, field.name)
        if member is not None or field.default is not None:
            yield json_name(field), member


def _int_text(value: int) -> str:
    # A `Decimal` writes any number of digits.
    return int.__repr__(value) if value.bit_length() < 14_000 else format(Decimal(value), "f")


def _decimal_text(value: Decimal | float) -> str:
    text = float.__repr__(value) if isinstance(value, float) else str(value)
    if text.lstrip("-")[0] not in "0123456789":
        raise ValueError(f"{text} cannot be written as JSON")
    return text


def _read_int(text: str) -> int | Number:
    # `-0` is the one integer that an `int` forgets something of.
    return Number(text) if text == "-0" or len(text) > _INT_DIGITS_MAX else int(text)


def _read_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) == len(members):
        return value
    names = [name for name, _ in members]
    repeated = RepeatedKeys(value)
    repeated.names = frozenset(name for name in names if names.count(name) > 1)
    return repeated


def _refuse(word: str) -> Any:
    raise JsonError(f"{word} is no JSON")


_decoder = standard.JSONDecoder(
    parse_float=Number, parse_int=_read_int, parse_constant=_refuse, object_pairs_hook=_read_object
)
