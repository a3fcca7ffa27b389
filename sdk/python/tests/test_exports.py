"""The boundary, against the generated types: what the host gives goes in, and what it is given comes out."""

from __future__ import annotations

import unittest
from typing import Any
from unittest import mock

from componentize_py_types import Err, Ok
from wit_world.exports import actions as wit_actions
from wit_world.exports import verification as wit_verification
from wit_world.imports import http as wit_http
from wit_world.imports import types as wit

from weir_sdk import Fault, Identity, Settlement, http, plugin, sandbox

CONTEXT = wit.Context("e", "s", "k", 1, 1000, "c", None, "{}", [])


def call(action: str, data: bytes = b"{}") -> wit_actions.Call:
    return wit_actions.Call(action, wit.Document("application/json", data, []), None, CONTEXT)


class Boundary(unittest.TestCase):
    def setUp(self) -> None:
        # Sealing closes files and clocks for the whole process, which a component ends with and a test does not.
        self.enterContext(mock.patch.object(sandbox, "seal"))
        self.enterContext(mock.patch.object(plugin, "REGISTRY", plugin.Registry()))
        before = http._transport
        self.addCleanup(lambda: http.use(before))
        from weir_sdk.exports import actions, connection, mapper, verification

        http.use(actions._Host())
        self.actions, self.verification = actions.Actions(), verification.Verification()
        self.connection, self.mapper = connection.Connection(), mapper.Mapper()

    def transform(self, data: bytes) -> list[wit.Document]:
        origin = wit.Origin("1", "/s", "k", None, None, "now", None, [], [])
        return self.mapper.transform(origin, wit.Document("", data, []), "")

    def fault(self, run: Any) -> wit.Fault:
        with self.assertRaises(Err) as raised:
            run()
        value: wit.Fault = raised.exception.value
        return value

    def test_a_mapper_maps(self) -> None:
        plugin.mapper(lambda value, origin: {origin.kind: value})
        self.assertEqual(self.transform(b"5"), [wit.Document("application/json", b'{"k":5}', [])])

    def test_every_exception_is_a_fault(self) -> None:
        plugin.mapper(lambda value: value["email"])
        fault = self.fault(lambda: self.transform(b"{}"))
        self.assertEqual((fault.kind, fault.message), (wit.FaultKind.INTERNAL, "KeyError: 'email'"))
        for data in (b"{", b"[" * 128 + b"]" * 128):
            self.assertEqual(self.fault(lambda data=data: self.transform(data)).kind, wit.FaultKind.INVALID_INPUT)
        self.assertEqual(self.fault(lambda: self.actions.invoke(call("x"))).code, "unknown-action")
        self.assertEqual(self.fault(lambda: self.verification.verify(call("x"))).code, "cannot-verify")
        self.assertEqual(self.fault(lambda: self.connection.check(CONTEXT)).code, "no-such-role")

    def test_an_action_sends_what_it_is_told(self) -> None:
        plugin.action("post")(lambda value: http.post("/x", json=value, auth=http.Auth("other")).check().json())
        answer = wit_http.Response(201, "u", [], b"1.10")
        with mock.patch.object(wit_http, "send", return_value=answer) as send:
            receipt = self.actions.invoke(call("post", b'{"a":1}'))
        self.assertEqual(receipt.output.data, b"1.10")
        headers = [("Content-Type", "application/json")]
        expected = wit_http.Request("POST", "/x", headers, b'{"a":1}', wit_http.Auth_Named("other"))
        send.assert_called_once_with(expected)

    def test_no_answer_is_its_fault(self) -> None:
        lost = wit_http.HttpFault(wit_http.HttpFaultKind.BROKEN, "broken", "m", True)
        plugin.action("post")(lambda value: http.post("/x").status)
        with mock.patch.object(wit_http, "send", side_effect=Err(lost)):
            self.assertEqual(self.fault(lambda: self.actions.invoke(call("post"))).kind, wit.FaultKind.UNKNOWN_OUTCOME)
        plugin.action("two")(lambda value: [str(each) for each in http.send_all([http.Request("GET", "/")] * 2)])
        answers = [Ok(wit_http.Response(200, "u", [], b"")), Err(lost)]
        with mock.patch.object(wit_http, "send_all", return_value=answers):
            self.assertIn(b"unavailable (broken): m", self.actions.invoke(call("two")).output.data)

    def test_settlements_and_identities_cross(self) -> None:
        plugin.verify("a")(lambda value: Settlement.happened(5))
        plugin.verify("b")(lambda value: Settlement.absent())
        plugin.verify("c")(lambda value: Settlement.undecided(1))
        happened = self.verification.verify(call("a"))
        self.assertIsInstance(happened, wit_verification.Settlement_Happened)
        self.assertEqual(self.verification.verify(call("b")), wit_verification.Settlement_Absent())
        self.assertEqual(self.verification.verify(call("c")), wit_verification.Settlement_Undecided(1000))
        plugin.check(lambda: Identity("me", settings={"a": 1}))
        self.assertEqual(self.connection.check(CONTEXT).settings, '{"a":1}')

    def test_half_a_surrogate_pair_crosses_in_a_fault(self) -> None:
        def fail(value: Any) -> None:
            raise Fault.not_found("\ud800")

        plugin.mapper(fail)
        self.assertEqual(self.fault(lambda: self.transform(b"{}")).message, "\\ud800")
