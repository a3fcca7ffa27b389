"""`urllib.request` by the gate: what goes out, what comes back, and which fault becomes of an exception."""

from __future__ import annotations

import io
import unittest
import urllib.error
import urllib.request

from weir_sdk import FaultKind, http
from weir_sdk.http import HttpError, HttpFaultKind, Request
from weir_sdk.testing import Reply, Script, fault_of
from weir_sdk.urllib import BASE_URL, Handler, StatusError


class Opened(unittest.TestCase):
    def test_an_answer_is_what_packages_expect(self) -> None:
        headers = [("Content-Type", "text/plain; charset=latin-1"), ("Link", "a"), ("Link", "b")]
        script = Script((Request("GET", "/contacts?x=1"), Reply(200, b"one\ntw\xf6", headers)))
        with script, urllib.request.urlopen(BASE_URL + "/contacts?x=1", timeout=3) as answer:
            self.assertEqual((answer.status, answer.getcode(), answer.reason), (200, 200, "OK"))
            self.assertEqual((answer.getheader("link"), answer.getheader("no", "none")), ("a, b", "none"))
            self.assertEqual(answer.info().get_content_charset(), "latin-1")
            self.assertEqual([answer.readline(), answer.read()], [b"one\n", b"tw\xf6"])

    def test_a_body_goes_out_in_each_form(self) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        url = "https://other.example/x"
        for data in (b"a=1", io.BytesIO(b"a=1"), [b"a=", b"1"]):
            with Script((Request("POST", url, headers=form, body=b"a=1"), Reply(204))):
                self.assertEqual(urllib.request.urlopen(url, data).read(), b"")
        put = urllib.request.Request(url, b"{}", {"Content-Type": "application/json", "X-A": "1"}, method="PUT")
        put.add_header("Content-Length", "2")
        sent: list[http.PreparedRequest] = []
        with Script((Request("PUT", url, headers={"X-A": "1"}, body=b"{}"), Reply(200))) as script:
            answer = script.send_all
            script.send_all = lambda requests: sent.extend(requests) or answer(requests)  # type: ignore[method-assign, func-returns-value]
            urllib.request.urlopen(put)
        self.assertEqual(sent[0].headers, [("Content-type", "application/json"), ("X-a", "1")])
        with self.assertRaisesRegex(TypeError, "encode the text"), Script():
            urllib.request.urlopen(url, "a=1")  # type: ignore[arg-type]

    def test_an_address_that_only_begins_like_the_base_url_is_another(self) -> None:
        other = f"{BASE_URL}.example.com/x"
        for url, sent in [(f"{BASE_URL}/x", "/x"), (BASE_URL, ""), (other, other)]:
            with Script((Request("GET", sent), Reply(200))):
                urllib.request.urlopen(url)

    def test_a_status_is_an_http_error_and_the_fault_that_it_means(self) -> None:
        reply = Reply(429, b"slow down", [("Retry-After", "7")])
        with Script((Request("GET", "/x"), reply)), self.assertRaises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(BASE_URL + "/x")
        error = raised.exception
        self.assertIsInstance(error, StatusError)
        self.assertEqual((error.code, error.read(), error.headers["retry-after"]), (429, b"slow down", "7"))
        fault = fault_of(error)
        self.assertEqual((fault.kind, fault.code, fault.retry_after), (FaultKind.RATE_LIMITED, "http-429", 7))

    def test_no_answer_is_an_url_error_and_keeps_its_kind(self) -> None:
        for data, kind, sent, expected in [
            (None, HttpFaultKind.DENIED, False, FaultKind.FORBIDDEN),
            (None, HttpFaultKind.TIMEOUT, True, FaultKind.TIMEOUT),
            (b"a", HttpFaultKind.BROKEN, True, FaultKind.UNKNOWN_OUTCOME),
        ]:
            method = "GET" if data is None else "POST"
            script = Script((Request(method, "/x", body=data or b""), Reply.fault(kind, request_sent=sent)))
            with script, self.assertRaises(urllib.error.URLError) as raised:
                urllib.request.urlopen(BASE_URL + "/x", data)
            error = raised.exception
            assert isinstance(error, HttpError)
            self.assertEqual((error.reason, error.code, error.request_sent), (kind, "scripted", sent))
            self.assertEqual(fault_of(error).kind, expected)
            self.assertIn("scripted: ", str(error))

    def test_an_opener_of_a_package_sends_too_and_is_native_again_behind_the_script(self) -> None:
        before = urllib.request.HTTPHandler
        with Script((Request("GET", "http://a.example/", headers={"X-B": "2"}), Reply(200, b"yes"))):
            opener = urllib.request.build_opener()
            opener.addheaders.append(("X-B", "2"))
            self.assertEqual(opener.open("http://a.example/").read(), b"yes")
        with Script((Request("GET", "https://a.example/"), Reply(404))), self.assertRaises(StatusError):
            urllib.request.build_opener(Handler).open("https://a.example/")
        self.assertIs(urllib.request.HTTPHandler, before)

    def test_other_schemes_are_refused_by_their_name(self) -> None:
        for url in ("file:///etc/passwd", "ftp://a.example/x"):
            with self.assertRaisesRegex(urllib.error.URLError, "unknown url type"), Script():
                urllib.request.urlopen(url)


if __name__ == "__main__":
    unittest.main()
