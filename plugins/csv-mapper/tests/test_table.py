"""Tables as programs export them."""

import unittest
from typing import Any

from csv_mapper import to_json

from weir_sdk import Document, Fault, FaultKind, testing

TABLE = 'sku;name;price;stock;active\r\n007;"Screw; long";0012.50;3;yes\r\n008;"two\nlines";1.10;;no\r\n'
TYPES = {"price": "decimal", "stock": "integer", "active": "boolean"}
ROWS = [
    b'{"sku":"007","name":"Screw; long","price":12.50,"stock":3,"active":true}',
    b'{"sku":"008","name":"two\\nlines","price":1.10,"stock":null,"active":false}',
]


def mapped(table: str | bytes, **options: Any) -> list[Document]:
    data = table if isinstance(table, bytes) else table.encode()
    return testing.transform(to_json, Document("text/csv", data), options=options)


def fault(table: str | bytes, **options: Any) -> Fault:
    try:
        raise AssertionError(f"no fault, but {mapped(table, **options)}")
    except Fault as fault:
        return fault


class Tables(unittest.TestCase):
    def test_a_table_becomes_lines(self) -> None:
        documents = mapped(TABLE, delimiter=";", types=TYPES)
        self.assertEqual([document.content_type for document in documents], ["application/jsonl"])
        self.assertEqual(documents[0].data, ROWS[0] + b"\n" + ROWS[1] + b"\n")

    def test_a_table_becomes_a_document_for_each_row(self) -> None:
        documents = mapped(TABLE, give="rows", delimiter=";", types=TYPES)
        self.assertEqual([document.data for document in documents], ROWS)
        self.assertEqual(mapped("", give="rows"), [])

    def test_columns_and_encoding_are_chosen(self) -> None:
        table = "München,5\n".encode("cp1252")
        documents = mapped(table, give="rows", columns=["city", "count"], encoding="cp1252")
        self.assertEqual(documents[0].data, '{"city":"München","count":"5"}'.encode())
        self.assertEqual(mapped("\ufeffa\n1\n", give="rows")[0].data, b'{"a":"1"}')
        self.assertEqual(fault(table).code, "encoding")

    def test_numbers_keep_their_digits(self) -> None:
        for cell, number in [("12345678901234567890.10", "12345678901234567890.10"), ("-0.50", "-0.50"), ("+7", "7")]:
            documents = mapped(f"n\n{cell}\n", give="rows", types={"n": "decimal"})
            self.assertEqual(documents[0].data, f'{{"n":{number}}}'.encode())

    def test_every_cell_at_fault_is_named(self) -> None:
        found = fault("a,b\n1,x\ny,2\n3\n", types={"a": "integer", "b": "integer"})
        self.assertEqual(found.kind, FaultKind.INVALID_INPUT)
        self.assertEqual([field.pointer for field in found.fields], ["/0/b", "/1/a", "/2"])

    def test_what_is_no_table_says_so(self) -> None:
        self.assertEqual(fault('a\n"b').code, "malformed-csv")
        self.assertEqual(fault("a,a\n1,2\n").code, "columns")
        self.assertEqual(fault("a\n1\n", types={"b": "integer"}).code, "columns")
        self.assertEqual(fault("a\n1\n", types={"a": "money"}).code, "options")


if __name__ == "__main__":
    unittest.main()
