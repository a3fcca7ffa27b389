"""What is read of answers, and what requests say."""

from __future__ import annotations

import unittest

from weir_sdk import Context, Fault, FaultKind, http, json
from weir_sdk.http import ANONYMOUS, Auth, HttpError, HttpFaultKind, Request, Response
from weir_sdk.testing import Reply, Script


def response(method: str, status: int, *headers: tuple[str, str], body: bytes = b"") -> Response:
    return Response(status, "", list(headers), body, Request(method, "/").is_repeatable)


class Answers(unittest.TestCase):
    def test_a_date_without_the_time_of_the_answer_says_nothing(self) -> None:
        later = ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")
        self.assertIsNone(response("GET", 503, later).retry_after)

    def test_a_fault_holds_the_beginning_of_the_answer(self) -> None:
        fault = response("GET", 400, body=b" " + b"x" * 1000).to_fault()
        self.assertEqual(fault.details, [("answer", "x" * 511)])

    def test_an_answer_that_cannot_be_read_after_an_effect_is_an_unknown_outcome(self) -> None:
        for method, status, kind in [
            ("POST", 201, FaultKind.UNKNOWN_OUTCOME),
            ("GET", 200, FaultKind.INTERNAL),
            ("POST", 400, FaultKind.INTERNAL),
        ]:
            with self.assertRaises(Fault) as raised:
                response(method, status).json(int)
            self.assertEqual((raised.exception.kind, raised.exception.code), (kind, "unexpected-answer"))


class Requests(unittest.TestCase):
    def test_data_is_never_the_place_of_a_secret(self) -> None:
        request = Request("POST", "/x", query={"q": "{{a}}&b=ü"}, json=["{{{a}}", "{"]).prepared()
        self.assertEqual(request.url, "/x?q=%7B%7Ba%7D%7D%26b%3D%C3%BC")
        self.assertNotIn(b"{{", request.body)
        self.assertEqual(json.loads(request.body), ["{{{a}}", "{"])

    def test_a_request_says_all_that_was_asked(self) -> None:
        context = Context(idempotency_key="k")
        request = Request("POST", "/x?a=1", query=[("b", "2"), ("b", "3")], json={}, idempotency_key=context).prepared()
        self.assertEqual(request.url, "/x?a=1&b=2&b=3")
        self.assertEqual(request.headers, [("Content-Type", "application/json"), ("Idempotency-Key", "k")])
        self.assertNotEqual(Auth(), ANONYMOUS)

    def test_what_is_of_another_type_is_named_before_it_is_sent(self) -> None:
        for request, words in [
            (Request("GET", None), "`url` must be a str"),  # type: ignore[arg-type]
            (Request("POST", "/x", body="text"), "`body` must be bytes, and is of type str"),  # type: ignore[arg-type]
            (Request("GET", "/x", headers={"a": []}), "`headers` must be a str"),  # type: ignore[arg-type]
            (Request("GET", "/\ud800"), "`url` holds half a surrogate pair"),
        ]:
            with self.assertRaisesRegex((TypeError, ValueError), words):
                request.prepared()
        self.assertEqual(Request("GET", "/x", headers={"limit": 5}).prepared().headers, [("limit", "5")])  # type: ignore

    def test_a_script_fails_what_it_does_not_expect(self) -> None:
        with self.assertRaisesRegex(AssertionError, "unexpected request"), Script():
            http.get("/a")
        with (
            self.assertRaisesRegex(AssertionError, "expected and not made: GET /a"),
            Script((Request("GET", "/a"), Reply())),
        ):
            pass
        exchange = (Request("PUT", "/a", json={"a": 1}), Reply())
        with self.assertRaisesRegex(AssertionError, "body of PUT /a"), Script(exchange):
            http.put("/a", json={"a": 2})
        with self.assertRaisesRegex(RuntimeError, "nobody answers GET /a"):
            http.get("/a")

    def test_answers_stand_in_the_order_of_the_requests(self) -> None:
        exchanges = [
            (Request("GET", "/a"), Reply(204)),
            (Request("GET", "/b"), Reply.fault(HttpFaultKind.TIMEOUT, request_sent=True)),
        ]
        with Script(*exchanges):
            first, second = http.send_all([Request("GET", "/a"), Request("GET", "/b")])
        self.assertEqual(first.status if isinstance(first, Response) else None, 204)
        self.assertEqual(second.kind if isinstance(second, HttpError) else None, FaultKind.TIMEOUT)
