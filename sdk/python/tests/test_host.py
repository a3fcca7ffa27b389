"""Plugins in Python in the real host. Runs where `WEIR_BINARY` names a built `weir` and componentize-py is there."""

from __future__ import annotations

import json
import os
import unittest
from typing import Any, ClassVar

from host import ROOT, SDK, HelpDesk, Weir

FLOW = """flow: {name}
owner: you@example.com
source:
  webhook: {{ path: /{name}, verify: none, decode: {decode} }}
steps:
  - id: map
    mapper: {mapper}@1
{further}"""

TICKETS = """    options: { give: rows }
  - id: create
    action: helpdesk-connector@1.create-ticket
    connection: helpdesk
"""

GRANT = (
    '[plugin.{name}.grant]\nhttp = [{{ origin = "connection", methods = ["GET", "POST"], paths = ["/api/v2/*"] }}]\n'
)
NETWORKS = 'private_networks = ["127.0.0.0/8"]\n'

CONNECTION = """[connection.helpdesk]
owner = "you@example.com"
plugins = ["helpdesk-connector"]
base_url = "http://127.0.0.1:{port}"
credential = {{ scheme = "bearer", secret = {{ env = "HELPDESK_TOKEN" }} }}
"""


@unittest.skipUnless("WEIR_BINARY" in os.environ, "WEIR_BINARY names no `weir`")
class InTheHost(unittest.TestCase):
    desk: ClassVar[HelpDesk]
    weir: ClassVar[Weir]

    @classmethod
    def setUpClass(cls) -> None:
        cls.desk = HelpDesk()
        plugins = {name: ROOT / "plugins" / name for name in ("csv-mapper", "helpdesk-connector", "lead-mapper-python")}
        plugins["misbehaving"] = SDK / "tests" / "plugins" / "misbehaving"
        tables = "".join(f'[plugin.{name}]\nsource = "plugins/{name}.wasm"\n' for name in plugins)
        flows = {
            "table": FLOW.format(name="table", decode="bytes", mapper="csv-mapper", further=TICKETS),
            "lead": FLOW.format(name="lead", decode="json", mapper="lead-mapper-python", further=""),
            "way": FLOW.format(name="way", decode="json", mapper="misbehaving", further=""),
        }
        files = {
            "weir.toml": '[ingress]\nlisten = "127.0.0.1:0"\n',
            "plugins.toml": tables + GRANT.format(name="helpdesk-connector") + NETWORKS,
            "connections.toml": CONNECTION.format(port=cls.desk.server_address[1]),
            **{f"flows/{name}.yaml": text for name, text in flows.items()},
        }
        cls.weir = cls.enterClassContext(Weir(os.environ["WEIR_BINARY"], files, plugins))

    def test_a_table_becomes_tickets_and_a_lost_answer_is_settled(self) -> None:
        rows = ["late", "lose the answer"]
        parent = self.weir.send("table", "subject,requester\n" + "".join(f"{row},ada@example.com\n" for row in rows))
        self.assertEqual(parent["state"], "finished")
        children = self.weir.executions(parent["event"])
        self.assertEqual({child["state"] for child in children}, {"finished"})
        self.assertEqual(sorted(ticket["subject"] for ticket in self.desk.tickets), sorted(rows))
        self.assertTrue(any(request.startswith("GET /api/v2/tickets?reference=") for request in self.desk.requests))
        self.assertIn("POST /api/v2/tickets Bearer t0ken", self.desk.requests)

    def test_a_lead_becomes_a_contact(self) -> None:
        execution = self.weir.send("lead", '{"email":" Ada@Example.COM","name":"Zoë   \\ud83d\\ude00","amount":1.10}')
        self.assertEqual(output_of(execution), {"email": "ada@example.com", "name": "Zoë 😀", "source": "web form"})

    def test_leads_give_what_rust_gives(self) -> None:
        """Those that are JSON in the way in, and have no options: the others are for the native test."""
        folder = ROOT / "tests" / "same-output"
        events, expected = (
            [json.loads(line) for line in (folder / name).read_text("utf-8").rstrip("\n").split("\n")]
            for name in ("events.jsonl", "expected.jsonl")
        )
        compared = 0
        for event, outcome in zip(events, expected, strict=True):
            is_plain = event["options"] == "{}" and event["content_type"] == "application/json"
            if not is_plain or event["data"].startswith("["):
                continue
            with self.subTest(event["name"]):
                try:
                    execution = self.weir.send("lead", event["data"])
                except AssertionError as error:
                    # The way in is stricter than the mappers: it refuses a name that is there twice, and half a pair.
                    self.assertRegex(str(error), "was not taken in")
                    continue
                compared += 1
                if "documents" in outcome:
                    self.assertEqual(output_of(execution), json.loads(outcome["documents"][0]))
                    continue
                fault = fault_of(execution)
                pointers = [field["pointer"] for field in fault["fields"]]
                self.assertEqual((fault["kind"], fault["code"]), (outcome["fault"], outcome["code"]))
                self.assertEqual(pointers, outcome["pointers"])
        self.assertGreater(compared, 200)

    def test_an_exception_shows_its_line(self) -> None:
        execution = self.weir.send("way", '{"way":"key"}')
        self.assertEqual(execution["state"], "parked")
        fault = fault_of(execution)
        self.assertEqual((fault["kind"], fault["message"]), ("internal", "KeyError: 'email'"))
        details = dict(fault["details"])
        self.assertRegex(details["at"], r"^misbehaving\.py:\d+$")
        self.assertIn('"key": lambda: {}["email"],', details["traceback"])
        self.assertIn("at: misbehaving.py:", self.weir.run("execution", "show", execution["id"]))

    def test_no_misbehaviour_traps(self) -> None:
        for way in ["exit", "recurse", "late-import", "codec", "open", "time", "sleep", "today", "chance", "urandom"]:
            with self.subTest(way):
                fault = fault_of(self.weir.send("way", f'{{"way":"{way}"}}'))
                self.assertEqual((fault["kind"], fault["code"]), ("internal", "internal"), fault["message"])
        fault = fault_of(self.weir.send("way", '{"way":"deep"}'))
        self.assertIn("nested more than 127 levels deep", fault["message"])

    def test_what_is_ordinary_works(self) -> None:
        for way, output in [("environment", "{}"), ("parse-date", '"2026-11-26 00:00:00"'), ("surrogate", '"\\ud800"')]:
            with self.subTest(way):
                self.assertEqual(self.weir.send("way", f'{{"way":"{way}"}}')["state"], "finished", output)
        execution = self.weir.send("way", '{"way":"lines"}')
        shown = self.weir.run("execution", "show", execution["id"])
        for line in ["info: printed", "warn: to stderr", "warn: logged well  logger=misbehaving", "number=5"]:
            self.assertIn(line, shown)


def output_of(execution: dict[str, Any]) -> Any:
    return execution["steps"][0]["output"]["json"]


def fault_of(execution: dict[str, Any]) -> dict[str, Any]:
    attempt = execution["steps"][0]["attempts"][0]
    fault: dict[str, Any] = attempt["outcome"]["failed"]["fault"]
    return fault


if __name__ == "__main__":
    unittest.main()
