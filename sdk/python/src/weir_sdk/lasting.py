"""Notes, while the component is built, which objects are there for as long as it is.

CPython counts the references to an object in the object itself, so that a call writes to whatever it looks at; and each
page of memory that a fresh sandbox writes to is first copied, which took two thirds of a short call. Objects that are
immortal are not counted (PEP 683). Python has no word to make one so. Hence this table: `weir plugin build` finds it in
the memory of the component and makes immortal what it names. A component that is built without that runs as well, only
slower.

The table is `MARK`, the length of what follows the header and the address of None, each in 4 bytes with the lowest first,
and a bit for every 8 bytes of memory, the lowest first: set where an object begins.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from types import CodeType
from typing import Any

__all__ = ["note"]

# Never in one piece but at the beginning of the table: it is looked for.
_MARK = (b"weir: ob", b"jects wh", b"ich last")

_HEADER_BYTES = 32

# Longer by so much when it is too short: half a megabyte of memory.
_STEP_BYTES = 1 << 13

_table = bytearray()
# What is noted must be there when the component is.
_lasting: list[Any] = []


def note() -> None:
    """Notes every object that can be reached. Called once, when everything is there."""
    global _table
    table = bytearray(_HEADER_BYTES)
    elsewhere: set[int] = set()
    todo: list[Any] = gc.get_objects()
    todo.extend(_types())
    while todo:
        each = todo.pop()
        address = id(each)
        place, bit = _HEADER_BYTES + (address >> 6), 1 << (address >> 3 & 7)
        if address & 7:
            # Only what is part of the interpreter begins here, and that is immortal already.
            if address not in elsewhere:
                elsewhere.add(address)
                todo.extend(_within(each))
            continue
        if place >= len(table):
            table.extend(bytes(place + _STEP_BYTES - len(table)))
        if table[place] & bit:
            continue
        table[place] |= bit
        _lasting.append(each)
        todo.extend(_within(each))
    for index, part in enumerate(_MARK):
        table[8 * index : 8 * index + 8] = part
    table[24:28] = (len(table) - _HEADER_BYTES).to_bytes(4, "little")
    table[28:32] = id(None).to_bytes(4, "little")
    _table = table


def _within(each: Any) -> Iterable[Any]:
    if isinstance(each, CodeType):
        # The collector does not look into these.
        named = (each.co_name, each.co_qualname, each.co_filename, each.co_linetable, each.co_exceptiontable)
        return (*named, each.co_consts, each.co_names, *each.co_varnames, *each.co_cellvars, *each.co_freevars)
    if isinstance(each, type):
        # A built-in type keeps its members where the collector does not look.
        return [*gc.get_referents(each), *gc.get_referents(vars(each))]
    return gc.get_referents(each)


def _types() -> Iterable[type]:
    seen: dict[type, None] = {object: None}
    todo: list[type] = [object]
    while todo:
        kinds: list[type] = type.__subclasses__(todo.pop())
        for each in kinds:
            if each not in seen:
                seen[each] = None
                todo.append(each)
    return seen
