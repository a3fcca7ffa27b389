"""The codec forgets nothing, and reads into types."""

from __future__ import annotations

import enum
import unittest
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from weir_sdk import Document, Fault, json
from weir_sdk.document import read_json


class Lossless(unittest.TestCase):
    def test_what_was_read_is_written_as_it_was(self) -> None:
        for text in [
            "9007199254740993",
            "-123456789012345678901234567890",
            "9" * 5000,
            "0",
            "-0",
            "1.10",
            "-0.0",
            "1E5",
            "1e+05",
            "12345678901234567890.123456789",
            "1e999999",
            "1e99999999999999999999",
            "-1e-99999999999999999999",
            '{"b":1,"a":{"z":[],"y":{}}}',
            '"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u007f\u2028ü👋"',
            '"\\ud800 \\udc00x"',
            "[true,false,null]",
            "[" * 127 + "]" * 127,
        ]:
            self.assertEqual(json.dumps(json.loads(text)).decode(), text)

    def test_numbers_can_be_reckoned_with(self) -> None:
        price = json.loads("1.10")
        self.assertEqual(price + Decimal("2.20"), Decimal("3.30"))
        self.assertEqual(json.dumps({"sum": price * 3}), b'{"sum":3.30}')
        self.assertEqual(float(json.loads("1e99999999999999999999")), float("inf"))
        self.assertEqual(json.loads("-0"), 0)

    def test_what_is_no_json_is_refused(self) -> None:
        for text in [
            b"",
            b"{",
            b"NaN",
            b"[Infinity]",
            b"{'a':1}",
            b"01",
            b"\xff",
            b"\xef\xbb\xbf1",
            b"1 2",
            b'"\n"',
            b"[1,]",
        ]:
            with self.assertRaises(json.JsonError):
                json.loads(text)
        with self.assertRaisesRegex(json.JsonError, "nested more than 127"):
            json.loads("[" * 100_000)
        json.loads('["[[[","' + "[" * 1000 + '"]')

    def test_what_cannot_be_said_in_json_is_refused(self) -> None:
        for value in [float("nan"), float("inf"), Decimal("NaN"), {1: 2}, {1, 2}, b"x", object(), int]:
            with self.assertRaises((TypeError, ValueError)):
                json.dumps(value)


class Color(enum.Enum):
    RED = "red"


@dataclass
class Line:
    count: int = field(metadata={"json": "a/b"})
    note: str | None = None


@dataclass
class Order:
    id: int
    lines: list[Line]
    price: Decimal = Decimal(0)
    color: Color | None = None
    kind: Literal["new", "old"] = "new"
    extra: dict[str, float] = field(default_factory=dict)
    anything: Any = None


def pointer_of(text: str) -> str:
    try:
        raise AssertionError(f"no fault, but {read_json(text, Order)}")
    except Fault as fault:
        return fault.fields[0].pointer


class Typed(unittest.TestCase):
    def test_what_fits_is_read_and_written(self) -> None:
        text = '{"id":7,"lines":[{"a/b":1}],"price":1.10,"color":"red","kind":"old","extra":{"x":0.5},"anything":[1.0]}'
        order = read_json(text, Order)
        self.assertEqual(order.lines, [Line(1)])
        self.assertEqual((order.color, order.extra), (Color.RED, {"x": 0.5}))
        self.assertEqual(json.dumps(order).decode(), text)

    def test_what_does_not_fit_is_named_by_its_pointer(self) -> None:
        for text, pointer in [
            ('{"id": "7", "lines": []}', "/id"),
            ('{"lines": []}', "/id"),
            ('{"id": true, "lines": []}', "/id"),
            ('{"id": 7.0, "lines": []}', "/id"),
            ('{"id": 7, "lines": [{"a/b": 1}, {"a/b": "one"}]}', "/lines/1/a~1b"),
            ('{"id": 7, "lines": [{}]}', "/lines/0/a~1b"),
            ('{"id": 7, "lines": [{"a/b": 1, "note": 5}]}', "/lines/0/note"),
            ('{"id": 7, "lines": {}}', "/lines"),
            ('{"id": 7, "id": 8, "lines": []}', "/id"),
            ('{"id": 7, "lines": [], "color": "blue"}', "/color"),
            ('{"id": 7, "lines": [], "kind": null}', "/kind"),
            ('{"id": 7, "lines": [], "extra": {"a~b": "x"}}', "/extra/a~0b"),
            ("5", ""),
        ]:
            self.assertEqual(pointer_of(text), pointer, text)

    def test_the_first_field_at_fault_is_named(self) -> None:
        self.assertEqual(pointer_of('{"lines": 1, "id": "7"}'), "/lines")
        self.assertEqual(pointer_of('{"lines": 1}'), "/lines")

    def test_half_a_pair_is_refused_where_it_is_read(self) -> None:
        for text in [
            '{"id": 7, "lines": [], "anything": "\\ud83d"}',
            '{"id": 7, "lines": [], "anything": {"a": ["\\ude00"]}}',
            '{"id": 7, "lines": [], "anything": {"\\ud83d": 1}}',
            '{"id": 7, "lines": [], "extra": {"\\ud83d": 1}}',
            '{"id": 7, "lines": [], "\\ud83d": 1}',
        ]:
            with self.assertRaises(Fault) as raised:
                read_json(text, Order)
            self.assertEqual(raised.exception.code, "malformed-json", text)
        for hint in (dict, list[Any], dict[str, Any], Any):
            with self.assertRaises(Fault):
                read_json('["\\ud83d"]' if hint == list[Any] else '{"a": "\\ud83d"}', hint)
        read_json('{"id": 7, "lines": [], "unknown": {"\\ud83d": "\\ude00"}}', Order)
        read_json('{"id": 7, "lines": [], "anything": "\\ud83d\\ude00"}', Order)

    def test_a_type_that_json_has_not_is_refused_early(self) -> None:
        with self.assertRaisesRegex(TypeError, "cannot be read from JSON"):
            read_json("1", complex)

    def test_json_is_known_by_its_media_type(self) -> None:
        for content_type, is_json in [
            ("application/json", True),
            ("Application/JSON; charset=utf-8", True),
            ("application/cloudevents+json", True),
            ("", True),
            ("text/plain", False),
            ("application/jsonlines", False),
        ]:
            self.assertEqual(Document(content_type, b"1").is_json, is_json, content_type)
        with self.assertRaises(Fault) as raised:
            Document("text/csv", b"1").read(int)
        self.assertEqual(raised.exception.code, "content-type")
