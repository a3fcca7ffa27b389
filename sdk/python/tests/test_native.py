"""A plugin as a process: what `weir dev` says to it, and what it says."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

SDK = Path(__file__).parents[1] / "src"

CONNECTOR = """
import logging, socket, sys, threading, time
from weir_sdk import Context, Document, Fault, Receipt, Settlement, action, http, log, verify

@action("note")
def note(call: dict, context: Context, cursor) -> Receipt:
    print("printed")
    logging.getLogger("own").warning("noted %d", 1)
    sent = http.post("/notes", json=call, idempotency_key=context)
    try:
        http.get("https://evil.example.com/", auth=http.ANONYMOUS)
    except http.HttpError as error:
        log.info("denied", code=error.code, sent=error.request_sent)
    return Receipt({"cursor": cursor, "tenant": context.read_settings()["tenant"], **sent.check().json()}, external_id="7")

@action("bad")
def bad(call: dict):
    match call["how"]:
        case "fault": raise Fault.rate_limited(after=1.5).field("/a", "is \\ud800").detail("x", "y")
        case "clock": time.time()
        case "file": open("/etc/passwd")
        case "exit": sys.exit(3)
        case "late": import wave
        case "fd": sys.modules["os"].open("/etc/passwd", 0)
        case "socket": sys.modules["socket"].socket()
        case "thread": sys.modules["threading"].Thread(target=print).start()
        case "program": sys.modules["os"].posix_spawn("/bin/true", ["true"], {})
        case "chance": sys.modules["os"].urandom(4)
        case "now": sys.modules["datetime"].datetime.now()
        case "type": return Receipt(1, metadata=[("n", object())])
        case "busy":
            print("busy")
            while True: pass
        case "bug": return call["missing"]

@verify("note")
def verify_note(call: dict) -> Settlement:
    match call["state"]:
        case "happened": return Settlement.happened(Receipt({"id": 1}, next="p2"))
        case "absent": return Settlement.absent()
        case _: return Settlement.undecided(0.25)
"""


class Native(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "src").mkdir()

    def start(self, source: str, roles: list[str]) -> None:
        (self.folder / "weir-plugin.toml").write_text(f'id = "my-plugin"\nroles = {json.dumps(roles)}\n', "utf-8")
        (self.folder / "src" / "my_plugin.py").write_text(source, "utf-8")
        environment = {**os.environ, "PYTHONPATH": f"{self.folder / 'src'}:{SDK}"}
        command = [sys.executable, "-P", "-m", "weir_sdk.native"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)
        self.addCleanup(self.end)

    def end(self) -> None:
        self.process.communicate(timeout=60)
        self.assertEqual(self.process.returncode, 0, "the end of its input ends it")

    def complaints(self) -> bytes:
        """What it says when it does not start."""
        assert self.process.stderr
        said = self.process.stderr.read()
        self.assertEqual(self.process.wait(60), 1)
        self.process.returncode = 0
        return said

    def say(self, tag: str, val: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"tag": tag, "val": val}).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> tuple[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        self.assertEqual(line[:1], b"\x1e", line)
        said = json.loads(line[1:])
        return said["tag"], said["val"]

    def call(self, tag: str, action: str, value: Any) -> Any:
        context = {
            "execution": "exe_1",
            "step": "send",
            "idempotency_key": "key-7",
            "attempt": 1,
            "remaining_ms": 1000,
            "connection": "c",
            "account": None,
            "settings": '{"tenant":"acme"}',
            "extra": [["a", "b"]],
        }
        self.say(tag, {"action": action, "input": document(value), "cursor": "p1", "context": context})

    def fault(self, how: str) -> Any:
        self.call("invoke", "bad", {"how": how})
        tag, val = self.hear()
        self.assertEqual((tag, val["tag"]), ("returned", "err"))
        return val["val"]

    def test_an_action_sends_by_the_host(self) -> None:
        self.start(CONNECTOR, ["actions", "verification"])
        self.assertEqual(self.hear(), ("ready", {"contract": "0.1"}))
        self.call("invoke", "note", {"title": "zoë"})
        self.assertEqual(self.hear(), ("log", {"level": "info", "message": "printed", "fields": []}))
        self.assertEqual(self.hear(), ("log", {"level": "warn", "message": "noted 1", "fields": [["logger", "own"]]}))
        tag, [request] = self.hear()
        self.assertEqual((tag, request["method"], request["url"]), ("send", "POST", "/notes"))
        self.assertEqual(json.loads(base64.b64decode(request["body"])), {"title": "zoë"})
        self.assertIn(["Idempotency-Key", "key-7"], request["headers"])
        self.assertEqual(request["auth"], {"tag": "default"})
        body = base64.b64encode(b'{"id":"n1"}').decode()
        response = {"status": 201, "url": "https://n.example.com/notes", "headers": [["a", "b"]], "body": body}
        self.say("answers", [{"tag": "ok", "val": response}])
        _, [request] = self.hear()
        self.assertEqual(request["auth"], {"tag": "anonymous"})
        denied = {"kind": "denied", "code": "weir.http.denied", "message": "no", "request_sent": False}
        self.say("answers", [{"tag": "err", "val": denied}])
        fields = [["code", "weir.http.denied"], ["sent", "False"]]
        self.assertEqual(self.hear(), ("log", {"level": "info", "message": "denied", "fields": fields}))
        tag, val = self.hear()
        self.assertEqual((tag, val["tag"]), ("returned", "ok"))
        receipt = val["val"]
        self.assertEqual(value(receipt["output"]), {"cursor": "p1", "tenant": "acme", "id": "n1"})
        self.assertEqual((receipt["external_id"], receipt["next"], receipt["metadata"]), ("7", None, []))

    def test_attempts_are_settled(self) -> None:
        self.start(CONNECTOR, ["actions", "verification"])
        self.hear()
        for state, expected in [("absent", {"tag": "absent", "val": None}), ("?", {"tag": "undecided", "val": 250})]:
            self.call("verify", "note", {"state": state})
            self.assertEqual(self.hear(), ("returned", {"tag": "ok", "val": expected}))
        self.call("verify", "note", {"state": "happened"})
        happened = self.hear()[1]["val"]
        self.assertEqual((happened["tag"], value(happened["val"]["output"])), ("happened", {"id": 1}))
        self.call("verify", "bad", {})
        self.assertEqual(self.hear()[1]["val"]["code"], "cannot-verify")

    def test_faults_are_those_of_a_component(self) -> None:
        self.start(CONNECTOR, ["actions", "verification"])
        self.hear()
        told = self.fault("fault")
        self.assertEqual((told["kind"], told["retry_after_ms"]), ("rate-limited", 1500))
        self.assertEqual((told["fields"], told["details"]), ([{"pointer": "/a", "message": "is ?"}], [["x", "y"]]))
        for how, says in [
            ("clock", "no clock"),
            ("file", "no files"),
            ("fd", "no files"),
            ("late", "import it at the top"),
            ("socket", "no sockets"),
            ("thread", "no threads"),
            ("program", "no programs"),
            ("now", "no clock"),
            ("chance", "no source of randomness"),
            ("type", "`metadata` must be a str, and is of type object"),
            ("exit", "3"),
        ]:
            with self.subTest(how):
                self.assertIn(says, self.fault(how)["message"])
        told = self.fault("bug")
        self.assertEqual((told["kind"], told["message"]), ("internal", "KeyError: 'missing'"))
        line = 1 + CONNECTOR.splitlines().index('        case "bug": return call["missing"]')
        self.assertEqual(told["details"][0], ["at", f"src/my_plugin.py:{line}"])
        self.assertIn('case "bug": return call["missing"]', told["details"][1][1])

    def test_a_mapper_maps_and_has_no_way_out(self) -> None:
        source = """
from weir_sdk import Document, Origin, http, mapper
@mapper
def f(given: Document, origin: Origin, options: dict):
    if options.get("send"): http.get("/")
    return Document(given.content_type, given.data[::-1], [("kind", origin.kind), *origin.transport])
"""
        self.start(source, ["mapper"])
        self.hear()
        nothing = {"subject": None, "time": None, "schema": None, "extensions": [], "transport": [["method", "POST"]]}
        origin = {"id": "1", "source": "/s", "kind": "k", "received": "2026-01-01T00:00:00Z", **nothing}
        given = {"content_type": "text/plain", "data": base64.b64encode(b"abc").decode(), "metadata": []}
        self.say("transform", {"origin": origin, "input": given, "options": "{}"})
        mapped = {**given, "data": base64.b64encode(b"cba").decode(), "metadata": [["kind", "k"], ["method", "POST"]]}
        self.assertEqual(self.hear(), ("returned", {"tag": "ok", "val": [mapped]}))
        self.say("transform", {"origin": origin, "input": given, "options": '{"send":true}'})
        self.assertEqual(self.hear()[1]["val"]["kind"], "internal")

    def test_a_plugin_that_is_busy_ends_when_the_host_has_gone(self) -> None:
        self.start(CONNECTOR, ["actions", "verification"])
        self.hear()
        self.call("invoke", "bad", {"how": "busy"})
        self.assertEqual(self.hear()[1]["message"], "busy")
        # Closes its input; it would not come to look there.
        self.end()

    def test_a_change_within_the_second_is_seen(self) -> None:
        for word in ("first", "again"):
            self.start(f"import weir_sdk\nraise SystemExit('{word}')\n", ["mapper"])
            self.assertIn(word.encode(), self.complaints())

    def test_a_module_that_does_not_load_says_where(self) -> None:
        self.start("import weir_sdk\n\nmappr = weir_sdk.mappr\n", ["mapper"])
        said = self.complaints()
        lines = said.decode().splitlines()
        self.assertTrue(lines[1].endswith('src/my_plugin.py", line 3, in <module>'), said)
        self.assertIn(b"AttributeError", said)


def document(value: Any) -> dict[str, Any]:
    data = base64.b64encode(json.dumps(value).encode()).decode()
    return {"content_type": "application/json", "data": data, "metadata": []}


def value(document: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(document["data"]))


if __name__ == "__main__":
    unittest.main()
