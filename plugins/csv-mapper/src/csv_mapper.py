"""Makes JSON of a table in CSV (RFC 4180). Start at `to_json`."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from weir_sdk import Document, Documents, Fault, json, mapper

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+)(\.[0-9]+)?")
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

# Enough to see what is wrong with a table; a table in the wrong format has a fault in every row.
_FAULTS_MAX = 20

Type = Literal["text", "integer", "decimal", "boolean"]


@dataclass
class Options:
    """What the flow may choose; `schemas/options.json` says it for people."""

    give: Literal["lines", "rows"] = "lines"
    delimiter: str = ","
    encoding: Literal["utf-8", "iso-8859-15", "cp1252", "utf-16"] = "utf-8"
    columns: list[str] = field(default_factory=list)
    types: dict[str, Type] = field(default_factory=dict)


@mapper
def to_json(table: Document, options: Options) -> Document | Documents:
    """The mapper. Raises an `invalid-input` that names the cells at fault."""
    rows = list(_rows(_text(table, options), options))
    if options.give == "rows":
        return Documents.split(rows)
    return Document("application/jsonl", b"".join(json.dumps(row) + b"\n" for row in rows))


def _text(table: Document, options: Options) -> str:
    # Spreadsheets write a byte order mark, which is no part of the first column's name.
    encoding = "utf-8-sig" if options.encoding == "utf-8" else options.encoding
    try:
        return table.data.decode(encoding)
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not {options.encoding}; the option `encoding` may say another"
        raise Fault.invalid_input(f"the table cannot be read: {message}", code="encoding") from None


def _rows(text: str, options: Options) -> Iterator[dict[str, Any]]:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=options.delimiter, strict=True)
        lines = [line for line in reader if line]
    except csv.Error as error:
        raise Fault.invalid_input(f"the table is not CSV: {error}", code="malformed-csv") from None
    columns = options.columns or (lines.pop(0) if lines else [])
    _check_columns(columns, options)
    faults: list[tuple[str, str]] = []
    for index, cells in enumerate(lines):
        if len(cells) != len(columns):
            faults.append((f"/{index}", f"has {len(cells)} cells, and there are {len(columns)} columns"))
            continue
        yield {
            name: _value(cell, options.types.get(name, "text"), f"/{index}/{name}", faults)
            for name, cell in zip(columns, cells, strict=True)
        }
    if faults:
        message = f"{len(faults)} faults in the table; rows count from 0, behind the names of the columns"
        raise Fault.invalid_input(message, code="cells", fields=faults[:_FAULTS_MAX])


def _check_columns(columns: list[str], options: Options) -> None:
    repeated = sorted(name for name, times in Counter(columns).items() if times > 1)
    unknown = sorted(options.types.keys() - set(columns))
    if repeated:
        raise Fault.invalid_input(f"the column `{repeated[0]}` is there twice", code="columns")
    if unknown:
        raise Fault.invalid_input(f"there is no column `{unknown[0]}`, which the option `types` names", code="columns")


def _value(cell: str, kind: Type, pointer: str, faults: list[tuple[str, str]]) -> Any:
    if kind == "text":
        return cell
    cell = cell.strip()
    if not cell:
        return None
    if kind == "boolean" and cell.lower() in _TRUTHS:
        return _TRUTHS[cell.lower()]
    if kind == "integer" and _INTEGER.fullmatch(cell):
        return int(cell)
    if kind == "decimal" and (found := _DECIMAL.fullmatch(cell)):
        # `0012.50` is 12.50: all digits behind the point stay, but JSON knows neither plus nor leading zeros.
        sign = "-" if cell.startswith("-") else ""
        return json.Number(f"{sign}{found[1].lstrip('0') or '0'}{found[2] or ''}")
    faults.append((pointer, f"is no {kind}"))
    return None
