"""What plugins for Weir are written with in Python. A mapper is one function, a connector a few:

    from dataclasses import dataclass
    from weir_sdk import Fault, mapper

    @dataclass
    class Lead:
        email: str
        name: str

    @mapper
    def to_contact(lead: Lead):
        if "@" not in lead.email:
            raise Fault.invalid_input("no address to write to", fields={"/email": "is not an e-mail address"})
        return {"email": lead.email.lower(), "display_name": lead.name}

Requests are described in `weir_sdk.http`, the JSON codec in `weir_sdk.json`, native tests in `weir_sdk.testing`. Knows the
contract and nothing of Weir's inside.
"""

# First of all: what follows does not parse in an older Python.
from . import interpreter  # noqa: F401

# isort: split
from . import http, json, log
from .document import Context, Document, Documents, Origin
from .fault import Fault, FaultKind, FieldFault
from .plugin import Call, Identity, Receipt, Settlement, action, check, mapper, verify

__all__ = [
    "Call",
    "Context",
    "Document",
    "Documents",
    "Fault",
    "FaultKind",
    "FieldFault",
    "Identity",
    "Origin",
    "Receipt",
    "Settlement",
    "action",
    "check",
    "http",
    "json",
    "log",
    "mapper",
    "verify",
]
