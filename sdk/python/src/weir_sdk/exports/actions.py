"""The role `actions`, and the way out that its functions have."""

from __future__ import annotations

from collections.abc import Sequence

from componentize_py_types import Err, Ok
from wit_world.exports import actions as wit_actions
from wit_world.imports import http as wit

from .. import http, plugin
from ..document import Context
from . import guarded, lift, lower


class Actions:
    """What the host calls."""

    def invoke(self, call: wit_actions.Call) -> wit_actions.Receipt:
        """Carries an action out."""
        return lower_receipt(guarded(lambda: plugin.invoke(lift_call(call))))


def lift_call(call: wit_actions.Call) -> plugin.Call:
    """The call as the plugin sees it."""
    return plugin.Call(call.action, lift(call.input), call.cursor, Context(**vars(call.context)))


def lower_receipt(receipt: plugin.Receipt) -> wit_actions.Receipt:
    """The receipt as it crosses the boundary."""
    return wit_actions.Receipt(lower(receipt.output), receipt.external_id, receipt.next, receipt.metadata)


class _Host:
    """The host's way out."""

    def send_all(self, requests: Sequence[http.PreparedRequest]) -> list[http.Response | http.HttpError]:
        if len(requests) == 1:
            try:
                return [_read_response(wit.send(_lower_request(requests[0])), requests[0])]
            except Err as error:
                return [_read_fault(error.value, requests[0])]
        answers = wit.send_all([_lower_request(request) for request in requests])
        return [
            _read_response(answer.value, request) if isinstance(answer, Ok) else _read_fault(answer.value, request)
            for answer, request in zip(answers, requests, strict=True)
        ]


def _lower_request(request: http.PreparedRequest) -> wit.Request:
    auth: wit.Auth = wit.Auth_Default()
    if request.auth == http.ANONYMOUS:
        auth = wit.Auth_Anonymous()
    elif request.auth.name is not None:
        auth = wit.Auth_Named(request.auth.name)
    return wit.Request(request.method, request.url, request.headers, request.body, auth)


def _read_response(answer: wit.Response, request: http.PreparedRequest) -> http.Response:
    return http.Response(answer.status, answer.url, answer.headers, answer.body, request.is_repeatable)


def _read_fault(fault: wit.HttpFault, request: http.PreparedRequest) -> http.HttpError:
    return http.HttpError(
        http.HttpFaultKind[fault.kind.name],
        fault.code,
        fault.message,
        request_sent=fault.request_sent,
        is_repeatable=request.is_repeatable,
    )


http.use(_Host())
