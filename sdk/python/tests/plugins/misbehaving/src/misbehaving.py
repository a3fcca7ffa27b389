"""Does what a plugin cannot do, or cannot do well, as its input says. `tests/test_host.py` says what must become of it."""

import datetime
import encodings.cp850  # noqa: F401  # what takes a codec along
import io
import logging
import os
import pkgutil
import queue
import random
import secrets
import sys
import time
import uuid
from typing import Any, NoReturn

from weir_sdk import Document, Documents, Fault, json, log, mapper

try:  # noqa: SIM105
    # As packages do. Where the plugin has no alternative to it, the build refuses this.
    import socket
except ImportError:
    pass


class Textless(Exception):
    def __str__(self) -> str:
        raise ValueError


def recurse(depth: int) -> int:
    return recurse(depth + 1)


def raise_from() -> NoReturn:
    try:
        {}["inner"]
    except KeyError as error:
        raise ValueError("outer") from error


def raise_this(error: Exception) -> NoReturn:
    raise error


def write_lines() -> str:
    print("printed")
    print("to stderr", file=sys.stderr)
    logging.getLogger("misbehaving").warning("logged %s", "well")
    log.info("with a field", number=5)
    log.info("half a pair: \ud800")
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("with its exception")
    return "written"


# By other names, because the build would refuse these.
bring = __import__
Day, Moment = datetime.date, datetime.datetime

WAYS = {
    "key": lambda: {}["email"],
    "exit": lambda: sys.exit(3),
    "recurse": lambda: recurse(0),
    "cause": raise_from,
    "textless": lambda: raise_this(Textless()),
    "no-kind": lambda: raise_this(Fault("odd", "code", "message")),
    "surrogate-fault": lambda: {}["\ud800"],
    "memory": lambda: len(bytearray(1 << 30)),
    "deep": lambda: json.loads("[" * 100_000),
    "nothing": lambda: None,
    "unwritable": lambda: {"set": {1, 2}},
    "no-bytes": lambda: Document("text/plain", "text"),
    "late-import": lambda: bring("colorsys"),
    "open": lambda: open("/etc/passwd").read(),
    "raw-open": lambda: io.FileIO("/etc/passwd"),
    "data-of-a-package": lambda: pkgutil.get_data("weir_sdk", "py.typed"),
    "descriptor": lambda: os.write(1, b"x"),
    "folder": lambda: os.listdir("."),
    "input": lambda: input(),
    "time": time.time,
    "sleep": lambda: time.sleep(0.01),
    "broken-down": lambda: time.strftime("%Y", time.gmtime()),
    "spent": time.process_time,
    "today": lambda: Day.today(),
    "now": lambda: Moment.now(datetime.UTC),
    "urandom": lambda: os.urandom(4),
    "uuid": lambda: uuid.uuid4(),
    "secret": secrets.token_hex,
    "system-random": lambda: random.SystemRandom().random(),
    "unseeded": lambda: random.Random(),
    "socket": lambda: socket.socket(),
    "connection": lambda: socket.create_connection(("example.com", 80)),
    "codec-left-behind": lambda: "ü".encode("cp437"),
    "random": random.random,
    "seeded": lambda: random.Random(5).random(),
    "exists": lambda: os.path.exists("/etc/passwd"),
    "environment": lambda: dict(os.environ),
    "given-time": lambda: time.strftime("%Y-%m-%d", time.gmtime(86400)),
    "parse-date": lambda: str(Moment.strptime("2026-11-26", "%Y-%m-%d")),
    "codecs": lambda: ["ü".encode(codec).hex() for codec in ("cp1252", "iso-8859-15", "utf-16-le", "cp850")],
    "surrogate": lambda: "\ud800",
    "none": Documents.none,
    "lines": write_lines,
    "wait": lambda: queue.Queue().get(),
    "end": lambda: os._exit(0),
}


@mapper
def misbehave(way: dict[str, Any]) -> Any:
    return WAYS[way["way"]]()
