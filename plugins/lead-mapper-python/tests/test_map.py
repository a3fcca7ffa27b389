"""Leads as people send them, and what becomes of them."""

import unittest

from lead_mapper_python import to_contact

from weir_sdk import Document, Fault, FaultKind
from weir_sdk.testing import transform, transform_json


class Leads(unittest.TestCase):
    def test_leads_become_contacts(self) -> None:
        for lead, contact in [
            (
                {
                    "email": " Ada@Example.COM ",
                    "first_name": "Ada",
                    "last_name": " Lovelace",
                    "company": "",
                    "utm": "x",
                },
                {"email": "ada@example.com", "name": "Ada Lovelace", "source": "web form"},
            ),
            (
                {
                    "email": "g@h.example",
                    "name": "Grace   Hopper",
                    "phone": "+49 (30) 123-456",
                    "message": " Call me\n",
                },
                {
                    "email": "g@h.example",
                    "name": "Grace Hopper",
                    "phone": "+4930123456",
                    "note": "Call me",
                    "source": "web form",
                },
            ),
        ]:
            self.assertEqual(transform_json(to_contact, lead), [contact])

    def test_a_lead_that_cannot_be_written_to_names_its_field(self) -> None:
        for email in ["", "  ", "ada", "@example.com", "ada@", "ada@example", "a b@example.com", "a@b..c", ["a@b.c"]]:
            with self.subTest(email), self.assertRaises(Fault) as raised:
                transform_json(to_contact, {"email": email})
            self.assertEqual(raised.exception.kind, FaultKind.INVALID_INPUT)
            self.assertEqual(raised.exception.fields[0].pointer, "/email")

    def test_a_budget_is_carried_as_it_was_written(self) -> None:
        def contact(budget: str) -> str:
            lead = f'{{"email":"a@b.example","budget":{budget}}}'
            [document] = transform(to_contact, Document("application/json", lead.encode()))
            return document.data.decode()

        expected = '{"email":"a@b.example","name":"a@b.example",%s"source":"web form"}'
        for budget in ["5", "-0", "1.10", "1E400", "9007199254740993", "12345678901234567890.123456789"]:
            self.assertEqual(contact(budget), expected % f'"budget":{budget},')
        self.assertEqual(contact("null"), expected % "")
        for budget in ['"5"', "true", "[5]", "{}"]:
            with self.subTest(budget), self.assertRaises(Fault) as raised:
                contact(budget)
            self.assertEqual(raised.exception.kind, FaultKind.INVALID_INPUT)
            self.assertEqual(raised.exception.fields[0].pointer, "/budget")

    def test_the_flow_chooses_the_source(self) -> None:
        lead = {"email": "a@b.example"}
        self.assertEqual(transform_json(to_contact, lead, options={"source": "fair"})[0]["source"], "fair")
        with self.assertRaises(Fault) as raised:
            transform_json(to_contact, lead, options={"sorce": "fair"})
        self.assertEqual(raised.exception.code, "options")


if __name__ == "__main__":
    unittest.main()
