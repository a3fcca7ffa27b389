"""What becomes of answers and of requests without one: the table of `weir_sdk.http`, as in the SDK for Rust."""

from __future__ import annotations

import unittest

from weir_sdk import Context, Fault, FaultKind, http, json
from weir_sdk.http import ANONYMOUS, Auth, HttpError, HttpFaultKind, Request, Response
from weir_sdk.testing import Reply, Script


def response(method: str, status: int, *headers: tuple[str, str], body: bytes = b"") -> Response:
    return Response(status, "", list(headers), body, Request(method, "/").is_repeatable)


class Answers(unittest.TestCase):
    def test_statuses_mean_what_the_table_says(self) -> None:
        kinds = {
            "rejected": [301, 400, 402, 501, 505],
            "unauthorized": [401],
            "forbidden": [403],
            "not-found": [404, 410],
            "timeout": [408],
            "conflict": [409, 412, 423],
            "invalid-input": [413, 422],
            "unavailable": [425, 500, 503, 599],
            "rate-limited": [429],
            "unknown-outcome": [502, 504],
        }
        for kind, statuses in kinds.items():
            for status in statuses:
                with self.assertRaises(Fault) as raised:
                    response("POST", status).check()
                found = raised.exception
                self.assertEqual((found.kind.value, found.code), (kind, f"http-{status}"))
        for method in ("GET", "PUT", "DELETE"):
            self.assertEqual(response(method, 504).to_fault().kind, FaultKind.UNAVAILABLE)
        for status in (200, 201, 204, 299):
            response("POST", status).check()

    def test_the_time_to_wait_is_seconds_or_a_date_after_the_answer(self) -> None:
        now = ("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        for value, seconds in [
            ("120", 120),
            (" 0 ", 0),
            ("Sun, 06 Nov 1994 08:50:07 GMT", 30),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400 - 784_111_777),
            ("Sat, 05 Nov 1994 08:49:37 GMT", 0),
            ("soon", None),
            ("-1", None),
            ("Sun, 99 Nov", None),
        ]:
            fault = response("GET", 503, ("retry-after", value), now).to_fault()
            self.assertEqual(fault.retry_after, seconds, value)
        self.assertIsNone(response("GET", 503, ("retry-after", now[1])).retry_after, "no clock")
        self.assertIsNone(response("GET", 404, ("retry-after", "5")).to_fault().retry_after)

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

    def test_a_request_without_an_answer_means_what_the_table_says(self) -> None:
        safe = {
            HttpFaultKind.DENIED: FaultKind.FORBIDDEN,
            HttpFaultKind.UNREACHABLE: FaultKind.UNAVAILABLE,
            HttpFaultKind.TLS: FaultKind.UNAVAILABLE,
            HttpFaultKind.TIMEOUT: FaultKind.TIMEOUT,
            HttpFaultKind.TOO_LARGE: FaultKind.REJECTED,
            HttpFaultKind.BROKEN: FaultKind.UNAVAILABLE,
        }
        for reason, kind in safe.items():
            for is_repeatable, sent, expected in [
                (True, True, kind),
                (False, False, kind),
                (False, True, FaultKind.UNKNOWN_OUTCOME),
            ]:
                error = HttpError(reason, "", "", request_sent=sent, is_repeatable=is_repeatable)
                self.assertEqual(error.kind, expected)


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
