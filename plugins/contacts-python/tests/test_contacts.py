"""Calls as Weir makes them, and the directory's answers."""

import unittest

from contacts_python import check_connection, create_contact, verify_create

from weir_sdk import testing
from weir_sdk.http import Request
from weir_sdk.testing import Reply, Script

CONTACTS = "/v2/{{key}}/workspaces/main/contacts"


class Contacts(unittest.TestCase):
    def test_a_contact_is_created_under_the_steps_key(self) -> None:
        sent = {"email": "ada@example.com", "reference": "key-1"}
        request = Request("POST", CONTACTS, json=sent, headers={"Idempotency-Key": "key-1"})
        with Script((request, Reply.json(201, {"id": 9007199254740993}))):
            receipt = testing.invoke(create_contact, {"email": "ada@example.com"})
        self.assertEqual(receipt.external_id, "9007199254740993")

    def test_what_is_not_found_may_still_be_there(self) -> None:
        for lag, state in [(0, "absent"), (250, "undecided")]:
            request = Request("GET", f"{CONTACTS}/search", query={"reference": "key-1"})
            with Script((request, Reply.json(200, {"contacts": [], "lag_ms": lag}))):
                settlement = testing.verify(verify_create, {"email": "ada@example.com"})
            self.assertEqual((settlement.state, settlement.after_ms or 0), (state, lag))

    def test_a_connection_says_whose_it_is(self) -> None:
        account = Reply.json(200, {"tenant": "acme", "name": "Acme Ltd."})
        with Script((Request("GET", "/v2/{{key}}/account"), account)):
            identity = testing.check(check_connection)
        self.assertEqual((identity.label, identity.account), ("Acme Ltd.", "acme"))


if __name__ == "__main__":
    unittest.main()
