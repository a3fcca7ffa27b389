"""Reads JSON values into annotated types: dataclasses, lists, dicts, `Optional`, `Literal`, enums and plain values.

A reader is made of an annotation once, when the plugin is loaded, and then called for every event.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .json import Number, RepeatedKeys, json_name

__all__ = ["Mismatch", "Reader", "reader"]

Reader = Callable[[Any, str], Any]
"""Takes a JSON value and its pointer, and gives what it was asked for or raises `Mismatch`."""


class Mismatch(Exception):
    """A value that does not fit: its JSON Pointer (RFC 6901), and what is wrong."""

    def __init__(self, pointer: str, message: str, *, is_malformed: bool = False) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.message = message
        self.is_malformed = is_malformed


@functools.cache
def reader(hint: Any, *, is_strict: bool = False) -> Reader:
    """The reader of a type. A strict one refuses unknown keys in its outermost dataclass."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _dataclass_reader(hint, is_strict)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enum_reader(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list:
        return _list_reader(reader(arguments[0]))
    if origin is dict and arguments[0] is str:
        return _dict_reader(reader(arguments[1]))
    if origin is typing.Literal:
        return _literal_reader(arguments)
    if origin in (typing.Union, types.UnionType):
        return _union_reader([reader(argument) for argument in arguments])
    if origin is typing.Annotated:
        return reader(arguments[0], is_strict=is_strict)
    raise TypeError(
        f"{hint!r} cannot be read from JSON; take a dataclass, list, dict, str, int, float, Decimal or bool"
    )


def shown(value: Any) -> str:
    """A value as messages name it: what it is, without what may be personal in it."""
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case str():
            return "a string"
        case int():
            return "an integer"
        case Decimal() | float():
            return "a decimal number"
        case list():
            return "a list"
        case _:
            return "an object"


def escaped(name: str) -> str:
    """A key as a part of a JSON Pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _read_any(value: Any, pointer: str) -> Any:
    # Not recursive: each level would cost two of Python's frames.
    found = [value]
    while found:
        match found.pop():
            case str() as text:
                _read_str(text, pointer)
            case dict() as members:
                found += members.keys()
                found += members.values()
            case list() as items:
                found += items
    return value


def _refusal(value: Any, pointer: str, expected: str) -> Mismatch:
    return Mismatch(pointer, f"is {shown(value)}, and {expected} is needed")


def _read_str(value: Any, pointer: str) -> str:
    if not isinstance(value, str):
        raise _refusal(value, pointer, "a string")
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise Mismatch(pointer, "holds half a surrogate pair", is_malformed=True) from None
    return value


def _read_bool(value: Any, pointer: str) -> bool:
    if not isinstance(value, bool):
        raise _refusal(value, pointer, "true or false")
    return value


def _read_int(value: Any, pointer: str) -> int:
    if isinstance(value, Number) and value.text == "-0":
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise _refusal(value, pointer, "an integer")
    return value


def _read_decimal(value: Any, pointer: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise _refusal(value, pointer, "a number")
    return value if isinstance(value, Decimal) else Decimal(value)


def _read_float(value: Any, pointer: str) -> float:
    try:
        return float(_read_decimal(value, pointer))
    except OverflowError:
        raise Mismatch(pointer, "is a number beyond what a float can hold") from None


def _read_none(value: Any, pointer: str) -> None:
    if value is not None:
        raise _refusal(value, pointer, "null")


def _read_dict(value: Any, pointer: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refusal(value, pointer, "an object")
    for name in value:
        _read_str(name, pointer)
    return value


def _read_list(value: Any, pointer: str) -> list[Any]:
    if not isinstance(value, list):
        raise _refusal(value, pointer, "a list")
    return value


_PLAIN: dict[Any, Reader] = {
    Any: _read_any,
    object: _read_any,
    str: _read_str,
    bool: _read_bool,
    int: _read_int,
    float: _read_float,
    Decimal: _read_decimal,
    None: _read_none,
    type(None): _read_none,
    dict: lambda value, pointer: _read_any(_read_dict(value, pointer), pointer),
    list: lambda value, pointer: _read_any(_read_list(value, pointer), pointer),
}


def _list_reader(item: Reader) -> Reader:
    def read(value: Any, pointer: str) -> list[Any]:
        return [item(each, f"{pointer}/{index}") for index, each in enumerate(_read_list(value, pointer))]

    return read


def _dict_reader(member: Reader) -> Reader:
    def read(value: Any, pointer: str) -> dict[str, Any]:
        members = _read_dict(value, pointer).items()
        return {name: member(each, f"{pointer}/{escaped(name)}") for name, each in members}

    return read


def _literal_reader(choices: tuple[Any, ...]) -> Reader:
    def read(value: Any, pointer: str) -> Any:
        for choice in choices:
            if type(choice) is type(value) and choice == value:
                return choice
        raise Mismatch(pointer, f"is none of {', '.join(map(repr, choices))}")

    return read


def _enum_reader(kind: type[enum.Enum]) -> Reader:
    read_literal = _literal_reader(tuple(member.value for member in kind))
    return lambda value, pointer: kind(read_literal(value, pointer))


def _union_reader(readers: list[Reader]) -> Reader:
    def read(value: Any, pointer: str) -> Any:
        faults = []
        for each in readers:
            try:
                return each(value, pointer)
            except Mismatch as mismatch:
                faults.append(mismatch)
        # The one that came farthest says the most.
        raise max(faults, key=lambda fault: len(fault.pointer))

    return read


def _dataclass_reader(kind: type[Any], is_strict: bool) -> Reader:
    hints = typing.get_type_hints(kind)
    fields = []
    for field in dataclasses.fields(kind):
        if field.init:
            is_needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            fields.append((json_name(field), field.name, reader(hints[field.name]), is_needed))
    known = {name: (attribute, read_member) for name, attribute, read_member, _ in fields}

    def read(value: Any, pointer: str) -> Any:
        members = _read_dict(value, pointer)
        if isinstance(members, RepeatedKeys):
            for name in sorted(members.names & known.keys()):
                raise Mismatch(f"{pointer}/{escaped(name)}", f"the key `{name}` is repeated")
        if is_strict:
            for name in members.keys() - known.keys():
                raise Mismatch(f"{pointer}/{escaped(name)}", f"there is no `{name}`, only: {', '.join(sorted(known))}")
        arguments = {}
        # In the order of the document: of several members at fault, the first one is named.
        for name, member in members.items():
            if name in known:
                attribute, read_member = known[name]
                arguments[attribute] = read_member(member, f"{pointer}/{escaped(name)}")
        for name, _, _, is_needed in fields:
            if is_needed and name not in members:
                raise Mismatch(f"{pointer}/{escaped(name)}", "is missing")
        return kind(**arguments)

    return read
