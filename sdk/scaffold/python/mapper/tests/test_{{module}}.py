"""The mapper's function, called natively."""

import unittest

from {{module}} import greet

from weir_sdk import Fault
from weir_sdk.testing import transform_json


class Greetings(unittest.TestCase):
    def test_a_person_is_greeted(self) -> None:
        self.assertEqual(transform_json(greet, {"name": " Ada "}), [{"greeting": "Hello, Ada!"}])
        chosen = transform_json(greet, {"name": "Ada"}, options={"salutation": "Good morning"})
        self.assertEqual(chosen, [{"greeting": "Good morning, Ada!"}])

    def test_nobody_is_a_fault_that_names_the_field(self) -> None:
        for person in ({}, {"name": 7}, {"name": " "}):
            with self.assertRaises(Fault) as raised:
                transform_json(greet, person)
            self.assertEqual(raised.exception.fields[0].pointer, "/name")


if __name__ == "__main__":
    unittest.main()
