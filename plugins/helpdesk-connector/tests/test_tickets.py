"""Calls as Weir makes them, and the help desk's answers."""

import unittest
from typing import Any

from helpdesk_connector import check_connection, create_ticket, find_ticket, list_tickets, verify_create

from weir_sdk import Fault, FaultKind, testing
from weir_sdk.http import HttpFaultKind, Request
from weir_sdk.testing import Reply, Script

TICKETS = "/api/v2/tickets"
TICKET = {"subject": "The parcel is late", "requester": "ada@example.com"}
SENT = {**TICKET, "body": "", "priority": "normal", "reference": "key-1", "fields": {}}
STORED = {"id": 9007199254740993, **SENT}


def looking(reply: Any) -> Script:
    return Script((Request("GET", TICKETS, query={"reference": "key-1"}), reply))


class Tickets(unittest.TestCase):
    def test_a_ticket_carries_the_key_as_its_reference(self) -> None:
        with Script((Request("POST", TICKETS, json=SENT), Reply.json(201, STORED))):
            receipt = testing.invoke(create_ticket, TICKET)
        self.assertEqual(receipt.external_id, "9007199254740993")
        self.assertEqual(receipt.output.read(), STORED)

    def test_a_lost_answer_is_settled_by_the_reference(self) -> None:
        with looking(Reply.json(200, {"results": [STORED]})):
            settlement = testing.verify(verify_create, TICKET)
        self.assertEqual(settlement.state, "happened")
        self.assertEqual(settlement.receipt and settlement.receipt.external_id, "9007199254740993")
        with looking(Reply.json(200, {"results": []})):
            self.assertEqual(testing.verify(verify_create, TICKET).state, "absent")
        with looking(Reply.json(200, {"results": [], "indexed_behind_ms": 2500})):
            settlement = testing.verify(verify_create, TICKET)
        self.assertEqual((settlement.state, settlement.after_ms), ("undecided", 2500))

    def test_what_may_have_had_its_effect_is_an_unknown_outcome(self) -> None:
        for reply in [Reply(504), Reply.fault(HttpFaultKind.BROKEN, request_sent=True), Reply(201, b"<html>")]:
            with self.assertRaises(Fault) as raised, Script((Request("POST", TICKETS, json=SENT), reply)):
                testing.invoke(create_ticket, TICKET)
            self.assertEqual(raised.exception.kind, FaultKind.UNKNOWN_OUTCOME)

    def test_a_refusal_is_told_in_the_help_desks_words(self) -> None:
        refusal = {"code": "invalid", "message": "no such requester", "errors": {"requester": "is unknown"}}
        with (
            self.assertRaises(Fault) as raised,
            Script((Request("POST", TICKETS, json=SENT), Reply.json(422, refusal))),
        ):
            testing.invoke(create_ticket, TICKET)
        fault = raised.exception
        self.assertEqual((fault.kind, fault.code), (FaultKind.INVALID_INPUT, "invalid"))
        self.assertEqual([field.pointer for field in fault.fields], ["/requester"])
        limited = Reply(429, headers=[("Retry-After", "7")])
        with self.assertRaises(Fault) as raised, looking(limited):
            testing.invoke(find_ticket, {"reference": "key-1"})
        self.assertEqual((raised.exception.kind, raised.exception.retry_after), (FaultKind.RATE_LIMITED, 7))

    def test_a_ticket_that_is_not_there_is_an_answer(self) -> None:
        with looking(Reply.json(200, {"results": []})):
            receipt = testing.invoke(find_ticket, {"reference": "key-1"})
        self.assertEqual((receipt.output.read(), receipt.external_id), ({"found": False, "ticket": None}, None))

    def test_ten_thousand_tickets_come_page_by_page(self) -> None:
        cursor, seen = None, 0
        for page in range(100):
            query = {"limit": "100", **({"after": cursor} if cursor else {})}
            following = {"next": f"p{page + 1}"} if page < 99 else {}
            answer = {"results": [{"id": page * 100 + row} for row in range(100)], **following}
            with Script((Request("GET", TICKETS, query=query), Reply.json(200, answer))):
                receipt = testing.invoke(list_tickets, {}, cursor=cursor)
            cursor, seen = receipt.next, seen + len(receipt.output.read())
        self.assertEqual((cursor, seen), (None, 10_000))

    def test_a_connection_says_whose_it_is(self) -> None:
        with Script((Request("GET", "/api/v2/me"), Reply.json(200, {"name": "Example Ltd.", "account": 5}))):
            identity = testing.check(check_connection)
        self.assertEqual((identity.label, identity.account), ("Example Ltd.", "5"))
        with self.assertRaises(Fault) as raised, Script((Request("GET", "/api/v2/me"), Reply(401))):
            testing.check(check_connection)
        self.assertEqual(raised.exception.kind, FaultKind.UNAUTHORIZED)


if __name__ == "__main__":
    unittest.main()
