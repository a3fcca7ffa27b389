"""Does what a plugin cannot do. Each misbehaviour must end as a fault that says what to do, none as a trap."""

import datetime
import logging
import os
import random
import sys
import time
import uuid
from typing import Any, NoReturn

from weir_sdk import Documents, json, log, mapper


def recurse(depth: int) -> int:
    return recurse(depth + 1)


def raise_from() -> NoReturn:
    try:
        {}["inner"]
    except KeyError as error:
        raise ValueError("outer") from error


def write_lines() -> str:
    print("printed")
    print("to stderr", file=sys.stderr)
    logging.getLogger("misbehaving").warning("logged %s", "well")
    log.info("with a field", number=5)
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
    "late-import": lambda: bring("colorsys"),
    "codec": lambda: "ü".encode("cp1252"),
    "open": lambda: open("/etc/passwd").read(),
    "stat": lambda: os.path.exists("/etc/passwd"),
    "time": time.time,
    "sleep": lambda: time.sleep(0.01),
    "today": lambda: Day.today(),
    "chance": lambda: str(uuid.uuid4()),
    "urandom": lambda: os.urandom(4),
    "system-random": lambda: random.SystemRandom().random(),
    "seeded": lambda: random.Random(5).random(),
    "environment": lambda: dict(os.environ),
    "lines": write_lines,
    "nothing": lambda: None,
    "none": Documents.none,
    "unwritable": lambda: {"set": {1, 2}},
    "surrogate": lambda: "\ud800",
    "surrogate-fault": lambda: {}["\ud800"],
    "deep": lambda: json.loads("[" * 100_000),
    "parse-date": lambda: str(Moment.strptime("2026-11-26", "%Y-%m-%d")),
    "memory": lambda: len(bytearray(1 << 30)),
}


@mapper
def misbehave(way: dict[str, Any]) -> Any:
    return WAYS[way["way"]]()
