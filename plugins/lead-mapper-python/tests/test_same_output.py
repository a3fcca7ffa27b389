"""The mapper gives what the one in Rust gives, byte for byte."""

import json
import unittest
from pathlib import Path
from typing import Any

from lead_mapper_python import to_contact

from weir_sdk import Document, Origin, plugin, testing

FOLDER = Path(__file__).parents[3] / "tests" / "same-output"


def outcome(event: dict[str, str]) -> dict[str, Any]:
    document = Document(event["content_type"], event["data"].encode())
    try:
        given = plugin.run_mapper(plugin.bind(to_contact, ()), Origin(), document, event["options"])
    except Exception as error:
        fault = testing.fault_of(error)
        pointers = [field.pointer for field in fault.fields]
        return {"name": event["name"], "fault": fault.kind.value, "code": fault.code, "pointers": pointers}
    return {"name": event["name"], "documents": [document.data.decode() for document in given]}


class SameOutput(unittest.TestCase):
    def test_the_events_give_what_rust_gives(self) -> None:
        events = (FOLDER / "events.jsonl").read_text("utf-8").rstrip("\n").split("\n")
        expected = (FOLDER / "expected.jsonl").read_text("utf-8").rstrip("\n").split("\n")
        self.assertEqual(len(events), len(expected))
        for event, line in zip(events, expected, strict=True):
            name = json.loads(line)["name"]
            with self.subTest(name):
                self.assertEqual(outcome(json.loads(event)), json.loads(line))


if __name__ == "__main__":
    unittest.main()
