"""Calls as Weir makes them, and the destination's answers. Run with `python3 -m pytest`."""

import unittest

from {{module}} import check_connection, create_note, find_note, list_notes, verify_create

from weir_sdk import Fault, FaultKind, testing
from weir_sdk.http import Request
from weir_sdk.testing import Reply, Script

NOTE = {"title": "Shopping", "text": "Milk"}
STORED = {"id": "n1", **NOTE}
SEARCH = Request("GET", "/notes", query={"title": "Shopping"})


class Notes(unittest.TestCase):
    def test_a_note_is_created_with_the_key(self) -> None:
        with Script((Request("POST", "/notes", json=NOTE, idempotency_key="key-1"), Reply.json(201, STORED))):
            receipt = testing.invoke(create_note, NOTE)
        self.assertEqual((receipt.output.read(), receipt.external_id), (STORED, "n1"))

    def test_a_lost_answer_is_settled(self) -> None:
        with Script((SEARCH, Reply.json(200, {"results": [STORED]}))):
            self.assertEqual(testing.verify(verify_create, NOTE).state, "happened")
        with Script((SEARCH, Reply.json(200, {"results": []}))):
            self.assertEqual(testing.verify(verify_create, NOTE).state, "absent")

    def test_a_note_is_found_or_not(self) -> None:
        with Script((SEARCH, Reply.json(200, {"results": []}))):
            self.assertEqual(testing.invoke(find_note, {"title": "Shopping"}).output.read()["found"], False)

    def test_pages_follow_one_another(self) -> None:
        request = Request("GET", "/notes", query={"limit": "2", "after": "p1"})
        with Script((request, Reply.json(200, {"results": [STORED], "next": "p2"}))):
            self.assertEqual(testing.invoke(list_notes, {"limit": 2}, cursor="p1").next, "p2")

    def test_a_refused_credential_says_so(self) -> None:
        with self.assertRaises(Fault) as raised, Script((Request("GET", "/me"), Reply(401))):
            testing.check(check_connection)
        self.assertEqual(raised.exception.kind, FaultKind.UNAUTHORIZED)


if __name__ == "__main__":
    unittest.main()
