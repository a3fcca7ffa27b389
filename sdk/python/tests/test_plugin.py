"""Decorated functions as Weir calls them, natively."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from weir_sdk import (
    Context,
    Document,
    Documents,
    Fault,
    FaultKind,
    Identity,
    Origin,
    Receipt,
    Settlement,
    plugin,
    testing,
)
from weir_sdk.fault import FieldFault


@dataclass
class Options:
    factor: int = 1


def giving(given: Any) -> Any:
    return lambda _: given


def bound(function: Any) -> plugin.Bound:
    return plugin.bind(function, ("origin", "options", "context", "cursor", "action"))


def mapped(function: Any, input: Any, options: str = "{}", origin: Origin | None = None) -> list[Any]:
    document = input if isinstance(input, Document) else Document.json(input)
    documents = plugin.run_mapper(bound(function), origin or Origin(), document, options)
    return [each.read() if each.is_json else each.data for each in documents]


class Faults(unittest.TestCase):
    def test_every_kind_has_a_constructor(self) -> None:
        for kind in FaultKind:
            make = getattr(Fault, kind.value.replace("-", "_"))
            self.assertEqual((make("x").kind, make("x").code), (kind, kind.value))

    def test_a_fault_says_all_that_it_was_given(self) -> None:
        fault = Fault.invalid_input("no", code="c", fields={"/a": "is missing"}, details=[("id", "5")])
        fault.field("/b", "too")
        self.assertEqual(fault.fields, [FieldFault("/a", "is missing"), FieldFault("/b", "too")])
        self.assertEqual((fault.code, fault.details), ("c", [("id", "5")]))
        self.assertEqual(Fault.rate_limited(after=1.5).retry_after_ms, 1500)
        self.assertEqual(Fault.rate_limited(after=timedelta(seconds=30)).retry_after_ms, 30_000)
        self.assertEqual(Fault.rate_limited(after=1e12).retry_after_ms, 2**32 - 1)

    def test_what_is_no_fault_is_told_where_it_is_made(self) -> None:
        for make in (lambda: Fault("odd", "c", "m"), lambda: Fault.internal("m", details=[5])):  # type: ignore
            self.assertRaises((TypeError, ValueError), make)
        for after in (-1, float("nan")):
            self.assertEqual(Fault.rate_limited(after=after).retry_after_ms, 0)

    def test_an_exception_that_fails_to_say_something_is_a_fault_all_the_same(self) -> None:
        class Odd(Exception):
            def __str__(self) -> str:
                raise ValueError

            def to_fault(self) -> Fault:
                raise KeyError

        self.assertEqual(testing.fault_of(Odd()).message, "Odd, whose text failed with ValueError")

    def test_an_exception_notes_its_line_its_causes_and_its_traceback(self) -> None:
        def fails(value: dict[str, Any]) -> None:
            try:
                value["email"]
            except KeyError as error:
                raise ValueError("outer") from error

        try:
            mapped(fails, {})
        except ValueError as error:
            fault = testing.fault_of(error)
        details = dict(fault.details)
        line = fails.__code__.co_firstlineno + 4
        self.assertEqual((fault.kind, fault.message), (FaultKind.INTERNAL, "ValueError: outer"))
        self.assertTrue(details["at"].endswith(f"test_plugin.py:{line}"), details["at"])
        self.assertIn(f"line {line}, in fails", details["traceback"])
        self.assertEqual(details["cause"], "KeyError: 'email'")


class Mappers(unittest.TestCase):
    def test_a_mapper_asks_for_what_it_needs(self) -> None:
        def multiply(value: int, origin: Origin, options: Options) -> Any:
            return {origin.kind: value * options.factor}

        self.assertEqual(mapped(multiply, 2, '{"factor":3}', Origin(kind="k")), [{"k": 6}])
        self.assertEqual(mapped(multiply, 2, ""), [{"test": 2}])
        for options in ['{"factr":3}', "[]", "{", '{"factor":"3"}']:
            with self.assertRaises(Fault) as raised:
                mapped(multiply, 2, options)
            self.assertEqual(raised.exception.code, "options")

    def test_a_mapper_without_options_refuses_some(self) -> None:
        with self.assertRaises(Fault) as raised:
            mapped(lambda value: value, 2, '{"factor":3}')
        self.assertEqual(raised.exception.code, "options")

    def test_what_it_gives_becomes_documents(self) -> None:
        def several(value: int) -> Iterator[int]:
            yield from range(value)

        self.assertEqual(mapped(several, 3), [0, 1, 2])
        self.assertEqual(mapped(lambda value: [value], 3), [[3]])
        self.assertEqual(mapped(lambda value: Documents.split([value, Document("text/plain", b"x")]), 3), [3, b"x"])
        self.assertEqual(mapped(lambda _: Documents.none(), 3), [])

    def test_what_cannot_be_given_names_the_function(self) -> None:
        for given, words in [(None, "gave nothing"), ({1, 2}, "cannot be written: a set")]:
            with self.assertRaisesRegex(Fault, words):
                mapped(giving(given), 3)

    def test_what_is_of_another_type_than_the_contract_says_is_named(self) -> None:
        for given, words in [
            (Document("text/plain", "text"), "`data` must be bytes, and is of type str"),  # type: ignore[arg-type]
            (Document("\ud800", b""), "`content_type` holds half a surrogate pair"),
            (Documents([Document("text/plain", b"", [("row", None)])]), "`metadata` must be a str"),  # type: ignore
        ]:
            with self.assertRaisesRegex(Fault, f"what `.*` gave cannot be written: {words}"):
                mapped(giving(given), 3)

    def test_raw_bytes_are_a_document(self) -> None:
        def size(table: Document) -> int:
            return len(table.data)

        self.assertEqual(mapped(size, Document("text/csv", b"abc")), [3])

    def test_an_unknown_parameter_is_refused_early(self) -> None:
        def odd(value: int, clock: Any) -> int:
            return value

        with self.assertRaisesRegex(TypeError, "asks for `clock`; it can have: origin, options"):
            plugin.mapper(odd)


class Actions(unittest.TestCase):
    def test_an_action_gives_a_receipt_or_its_output(self) -> None:
        def act(value: int, context: Context, cursor: str | None) -> Any:
            return Receipt([value, context.idempotency_key, cursor], next="b") if cursor else value

        call = plugin.Call("act", Document.json(5), "a")
        receipt = plugin.run_action(bound(act), call)
        self.assertEqual((receipt.output.read(), receipt.next), ([5, "key-1", "a"], "b"))
        receipt = plugin.run_action(bound(act), plugin.Call("act", Document.json(5)))
        self.assertEqual(receipt.output.read(), 5)

    def test_an_id_may_be_a_number_and_nothing_else_than_a_text(self) -> None:
        given: Any = Receipt({"id": 7}, external_id=7, next=8, metadata={"page": 9})  # type: ignore[arg-type]
        receipt = plugin.run_action(bound(giving(given)), plugin.Call("act", Document.json(5)))
        self.assertEqual((receipt.external_id, receipt.next, receipt.metadata), ("7", "8", [("page", "9")]))
        with self.assertRaisesRegex(Fault, "`external_id` must be a str, and is of type list"):
            plugin.run_action(bound(giving(Receipt(1, external_id=[7]))), plugin.Call("act", Document.json(5)))  # type: ignore
        with self.assertRaisesRegex(TypeError, "`external_id` must be a str, and is of type dict"):
            Settlement.happened(Receipt(1, external_id={}))  # type: ignore[arg-type]
        with self.assertRaisesRegex(Fault, "`label` must be a str, and is of type NoneType"):
            plugin.run_check(plugin.bind(lambda: Identity(None), (), takes_input=False), Context())  # type: ignore

    def test_a_settlement_is_one_of_three(self) -> None:
        self.assertEqual(Settlement.undecided(after=2.5).after_ms, 2500)
        happened = Settlement.happened({"id": 1}).receipt
        self.assertEqual(happened and happened.output.read(), {"id": 1})
        with self.assertRaisesRegex(Fault, "gave no `Settlement`"):
            plugin.run_verification(bound(lambda value: value), plugin.Call("act", Document.json(5)))

    def test_settings_are_read_into_types(self) -> None:
        self.assertEqual(Context(settings='{"region":"eu"}').read_settings(dict[str, str]), {"region": "eu"})
        with self.assertRaises(Fault) as raised:
            Context(settings="5").read_settings()
        self.assertEqual(raised.exception.code, "settings")
