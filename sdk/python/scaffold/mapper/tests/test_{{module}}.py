"""Visits, and what becomes of them. Run with `python3 -m pytest`."""

import unittest

from {{module}} import to_greeting

from weir_sdk import Fault
from weir_sdk.testing import transform_json


class Greetings(unittest.TestCase):
    def test_a_visitor_is_greeted(self) -> None:
        greeting = {"text": "Hello, Ada!", "at": "2026-11-23T00:00:00.000Z"}
        self.assertEqual(transform_json(to_greeting, {"name": "Ada"}), [greeting])
        sent = transform_json(to_greeting, {"name": "Ada"}, options={"sender": "Weir"})
        self.assertEqual(sent, [{**greeting, "sender": "Weir"}])

    def test_what_does_not_fit_names_its_field(self) -> None:
        for visit, pointer in [({}, "/name"), ({"name": 5}, "/name"), ({"name": "Ada", "language": "tlh"}, "/language")]:
            with self.assertRaises(Fault) as raised:
                transform_json(to_greeting, visit)
            self.assertEqual(raised.exception.fields[0].pointer, pointer)


if __name__ == "__main__":
    unittest.main()
