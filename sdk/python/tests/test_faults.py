"""The tables of `wit/FAULTS.md`, held against what the SDK makes of answers and of requests without one."""

from __future__ import annotations

import pathlib
import unittest

from weir_sdk import Fault
from weir_sdk.http import HttpError, HttpFaultKind, Request, Response

PAGE = (pathlib.Path(__file__).parents[3] / "wit" / "FAULTS.md").read_text("utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of the table below a heading, without the table's own head and without backticks."""
    section = next(part for part in PAGE.split("\n## ") if part.startswith(heading))
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split(" | ")] for line in lines]


def holds(statuses: str, status: int) -> bool:
    bounds = [part.split("-") for part in statuses.split(", ")]
    return any(int(first) <= status <= int(last[0] if last else first) for first, *last in bounds)


def answer(method: str, status: int, *headers: tuple[str, str]) -> Response:
    return Response(status, "", list(headers), b"", Request(method, "/").is_repeatable)


def fault_of(response: Response) -> Fault | None:
    try:
        response.check()
    except Fault as fault:
        return fault
    return None


class Tables(unittest.TestCase):
    def test_every_status_is_the_kind_that_the_page_says(self) -> None:
        table = rows("From an answer to a kind")
        for status in range(100, 600):
            _, repeatable, other, heard = next(row for row in table if holds(row[0], status))
            for methods, kind in [("GET HEAD OPTIONS PUT DELETE", repeatable), ("POST PATCH PURGE", other)]:
                for method in methods.split():
                    fault = fault_of(answer(method, status, ("retry-after", "7")))
                    if fault is None:
                        self.assertEqual(kind, "none", f"{method} {status}")
                        continue
                    self.assertEqual((fault.kind.value, fault.code), (kind, f"http-{status}"), method)
                    is_heard = heard in ("yes", f"if {kind}")
                    self.assertEqual(fault.retry_after_ms, 7000 if is_heard else None, f"{method} {status}")

    def test_retry_after_waits_as_long_as_the_page_says(self) -> None:
        date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        for value, waits in rows("`Retry-After`"):
            fault = fault_of(answer("GET", 503, ("retry-after", value), date))
            self.assertEqual(str(fault and fault.retry_after_ms).lower(), waits, value)

    def test_every_request_without_an_answer_is_the_kind_that_the_page_says(self) -> None:
        table = rows("From a request without an answer to a kind")
        self.assertEqual([row[0] for row in table], [kind.value for kind in HttpFaultKind])
        for why, unsent, repeatable, other in table:
            for sent, is_repeatable, kind in [
                (False, True, unsent),
                (False, False, unsent),
                (True, True, repeatable),
                (True, False, other),
            ]:
                error = HttpError(HttpFaultKind(why), "c", "", request_sent=sent, is_repeatable=is_repeatable)
                self.assertEqual((error.kind.value, error.code), (kind, "c"), (why, sent, is_repeatable))
