"""The plugin as a process that Weir calls: what `weir dev` runs, because a change is there at once and a component takes
seconds to build. Run as `python -m weir_sdk.native` in the plugin's folder.

Everything else is as in a component. What `weir_sdk.sandbox` closes there is closed here too, and beside it what a component
never had: sockets, threads, programs, and files by any way. So a plugin, or a package of its, that asks for the time, opens
something or imports something late is told so before it is built. Only memory is not limited, and what a call leaves behind
in its module is there in the next.

The host writes a line of JSON on the standard input, and reads texts of JSON from the standard output, each between U+001E
and a line feed (RFC 7464): whatever else is printed is no message. Records are objects, a variant is `{"tag", "val"}`, bytes
are base64.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import select
import sys
import threading
import tomllib
import traceback
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, NoReturn

from . import http, log, plugin, sandbox, trace
from .build import world
from .document import Context, Document, Origin
from .fault import Fault

# What a component has not, by the event of the interpreter's audit (PEP 578) that tells of it.
_NO_PROGRAMS = "a plugin starts no programs"
_NO_THREADS = "a plugin has no threads"
_CLOSED = {
    "socket.__new__": sandbox.NO_SOCKETS,
    "socket.getaddrinfo": sandbox.NO_SOCKETS,
    "subprocess.Popen": _NO_PROGRAMS,
    "os.system": _NO_PROGRAMS,
    "os.fork": _NO_PROGRAMS,
    "os.forkpty": _NO_PROGRAMS,
    "os.exec": _NO_PROGRAMS,
    "os.posix_spawn": _NO_PROGRAMS,
}

# Of which the audit tells in newer versions only.
_THREADS = ("_start_new_thread", "_start_joinable_thread")

# This package, and what imports modules.
_FOREIGN = (os.path.dirname(__file__) + os.sep, os.path.dirname(importlib.__file__) + os.sep)

_PAIRS = ("extensions", "transport", "extra")


class _Channel:
    """What is said with the host."""

    def __init__(self, reading: BinaryIO, writing: BinaryIO) -> None:
        self._reading = reading
        self._writing = writing

    def say(self, tag: str, val: Any) -> None:
        self.write_text(_text(tag, val))

    def write_text(self, text: bytes) -> None:
        self._writing.write(b"\x1e" + text + b"\n")
        self._writing.flush()

    def hear(self) -> tuple[str, Any]:
        """What the host says; it has gone when that is nothing."""
        line = self._reading.readline()
        if not line:
            raise SystemExit(0)
        message = json.loads(line)
        return message["tag"], message["val"]

    def write(self, level: str, message: str, fields: list[tuple[str, str]]) -> None:
        """A line of the execution."""
        self.say("log", {"level": level, "message": str(message), "fields": fields})

    def send_all(self, requests: Sequence[http.PreparedRequest]) -> list[http.Response | http.HttpError]:
        """The host's way out."""
        self.say("send", [_lower_request(request) for request in requests])
        _, answers = self.hear()
        return [_lift_answer(answer, request) for answer, request in zip(answers, requests, strict=True)]


def main() -> None:
    """Loads the plugin and answers calls until the host has gone."""
    with open("weir-plugin.toml", "rb") as file:
        manifest = tomllib.load(file)
    # The plugin gets other streams, whose lines are messages.
    channel = _Channel(sys.stdin.buffer, sys.stdout.buffer)
    contract = world.contract_version().rpartition(".")[0]
    # Made before `sandbox` closes it.
    threading.Thread(target=_watch, args=(select.poll(),), daemon=True).start()
    sandbox.guard()
    sys.addaudithook(_refuse)
    for name in _THREADS:
        if hasattr(threading, name):
            setattr(threading, name, _refuse_thread)
    # A second change within a second, of the same length, would not be noticed.
    sys.dont_write_bytecode = True
    try:
        importlib.import_module(world.module_name(str(manifest["id"])))
    except Exception as error:
        sys.exit(_own_traceback(error))
    log.use(channel.write)
    if "mapper" not in manifest["roles"]:
        http.use(channel)
    sandbox.prepare()
    channel.say("ready", {"contract": contract})
    while True:
        tag, val = channel.hear()
        sandbox.seal()
        channel.write_text(_returned(_CALLS[tag], val))


def _returned(function: Callable[[Any], Any], val: Any) -> bytes:
    try:
        return _text("returned", {"tag": "ok", "val": function(val)})
    except BaseException as error:
        return _text("returned", {"tag": "err", "val": _lower_fault(trace.fault_of(error))})


def _text(tag: str, val: Any) -> bytes:
    # Half a surrogate pair from the data is no text.
    return json.dumps({"tag": tag, "val": val}, ensure_ascii=False).encode("utf-8", "replace")


def _own_traceback(error: Exception) -> str:
    """The traceback from the plugin's first line on."""
    told = traceback.TracebackException.from_exception(error)
    own = [index for index, frame in enumerate(told.stack) if not frame.filename.startswith((*_FOREIGN, "<"))]
    del told.stack[: own[0] if own else 0]
    return "".join(told.format()).rstrip()


def _watch(poll: select.poll) -> None:
    """Ends a process that is busy when the host has gone; one that is not sees the end of its input."""
    poll.register(0, 0)
    poll.poll()
    os._exit(0)


def _refuse(event: str, _arguments: tuple[Any, ...]) -> None:
    message = _CLOSED.get(event)
    if event == "open" and sandbox.is_sealed():
        message = sandbox.NO_FILES
    if message is not None:
        raise PermissionError(message)


def _refuse_thread(*_arguments: Any, **_named: Any) -> NoReturn:
    raise RuntimeError(_NO_THREADS)


def _transform(val: Any) -> list[dict[str, Any]]:
    origin = Origin(**_with_pairs(val["origin"]))
    return [_lower(document) for document in plugin.transform(origin, _lift(val["input"]), val["options"])]


def _invoke(val: Any) -> dict[str, Any]:
    return _lower_receipt(plugin.invoke(_lift_call(val)))


def _verify(val: Any) -> dict[str, Any]:
    settlement = plugin.settle(_lift_call(val))
    if settlement.state == "happened" and settlement.receipt is not None:
        return {"tag": "happened", "val": _lower_receipt(settlement.receipt)}
    return {"tag": settlement.state, "val": settlement.after_ms}


_CALLS = {"transform": _transform, "invoke": _invoke, "verify": _verify}


def _lift(val: Any) -> Document:
    return Document(val["content_type"], base64.b64decode(val["data"]), _pairs(val["metadata"]))


def _lower(document: Document) -> dict[str, Any]:
    data = base64.b64encode(document.data).decode("ascii")
    return {"content_type": document.content_type, "data": data, "metadata": document.metadata}


def _lift_call(val: Any) -> plugin.Call:
    return plugin.Call(val["action"], _lift(val["input"]), val["cursor"], Context(**_with_pairs(val["context"])))


def _lower_receipt(receipt: plugin.Receipt) -> dict[str, Any]:
    return {**vars(receipt), "output": _lower(receipt.output)}


def _lower_fault(fault: Fault) -> dict[str, Any]:
    return {
        "kind": fault.kind.value,
        "code": str(fault.code),
        "message": str(fault.message),
        "retry_after_ms": fault.retry_after_ms,
        "fields": [{"pointer": str(field.pointer), "message": str(field.message)} for field in fault.fields],
        "details": [(str(name), str(value)) for name, value in fault.details],
    }


def _lower_request(request: http.PreparedRequest) -> dict[str, Any]:
    auth: dict[str, Any] = {"tag": "default"}
    if request.auth == http.ANONYMOUS:
        auth = {"tag": "anonymous"}
    elif request.auth.name is not None:
        auth = {"tag": "named", "val": request.auth.name}
    body = base64.b64encode(request.body).decode("ascii")
    return {"method": request.method, "url": request.url, "headers": request.headers, "body": body, "auth": auth}


def _lift_answer(answer: Any, request: http.PreparedRequest) -> http.Response | http.HttpError:
    val = answer["val"]
    if answer["tag"] == "ok":
        body = base64.b64decode(val["body"])
        return http.Response(val["status"], val["url"], _pairs(val["headers"]), body, request.is_repeatable)
    return http.HttpError(
        http.HttpFaultKind(val["kind"]),
        val["code"],
        val["message"],
        request_sent=val["request_sent"],
        is_repeatable=request.is_repeatable,
    )


def _with_pairs(record: dict[str, Any]) -> dict[str, Any]:
    return {name: _pairs(value) if name in _PAIRS else value for name, value in record.items()}


def _pairs(pairs: list[list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in pairs]


if __name__ == "__main__":
    main()
