"""Writes CloudEvents as the SDK sends them over HTTP. One JSON object a line in, one with headers and body out."""

import datetime
import json
import sys

from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent


def event(written):
    attributes = dict(written["attributes"])
    if "time" in attributes:
        attributes["time"] = datetime.datetime.fromisoformat(attributes["time"])
    return CloudEvent(attributes=attributes, data=written["data"])


def message(mode, events):
    if mode == "binary":
        return http.to_binary_event(events[0])
    if mode == "structured":
        return http.to_structured_event(events[0])
    # The SDK writes no batches: a batch is an array of events in structured form.
    bodies = b",".join(http.to_structured_event(each).body for each in events)
    headers = {"content-type": "application/cloudevents-batch+json"}
    return http.HTTPMessage(headers=headers, body=b"[" + bodies + b"]")


for line in sys.stdin:
    request = json.loads(line)
    sent = message(request["mode"], [event(written) for written in request["events"]])
    print(json.dumps({"headers": sent.headers, "body": sent.body.decode()}), flush=True)
