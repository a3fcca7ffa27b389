"""The connector's functions, called natively, with the destination's answers scripted."""

import unittest

from {{module}} import check_connection, create_note, verify_create

from weir_sdk import Fault, FaultKind, testing
from weir_sdk.http import HttpFaultKind, Request
from weir_sdk.testing import Reply, Script

NOTE = {"title": "Shopping", "text": "Milk"}
CREATION = Request("POST", "/notes", json=NOTE, idempotency_key="key-1")
SEARCH = Request("GET", "/notes", query={"title": "Shopping"})


class Notes(unittest.TestCase):
    def test_a_note_is_created_under_the_key_of_the_step(self) -> None:
        with Script((CREATION, Reply.json(201, {"id": "n1"}))):
            receipt = testing.invoke(create_note, NOTE)
        self.assertEqual((receipt.output.read(), receipt.external_id), ({"id": "n1"}, "n1"))

    def test_a_lost_answer_is_settled(self) -> None:
        lost = Reply.fault(HttpFaultKind.BROKEN, request_sent=True)
        with self.assertRaises(Fault) as raised, Script((CREATION, lost)):
            testing.invoke(create_note, NOTE)
        self.assertEqual(raised.exception.kind, FaultKind.UNKNOWN_OUTCOME)
        for found, state in (([{"id": "n7"}], "happened"), ([], "absent")):
            with Script((SEARCH, Reply.json(200, found))):
                self.assertEqual(testing.verify(verify_create, NOTE).state, state)

    def test_a_connection_says_whose_it_is(self) -> None:
        with Script((Request("GET", "/me"), Reply.json(200, {"name": "Ada"}))):
            self.assertEqual(testing.check(check_connection).label, "Ada")
        with self.assertRaises(Fault) as raised, Script((Request("GET", "/me"), Reply(401))):
            testing.check(check_connection)
        self.assertEqual(raised.exception.kind, FaultKind.UNAUTHORIZED)


if __name__ == "__main__":
    unittest.main()
