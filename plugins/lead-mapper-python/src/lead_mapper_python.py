"""Makes a CRM contact of a lead from a web form. Start at `to_contact`."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from decimal import Decimal

from weir_sdk import Fault, mapper

# The characters that Unicode calls `White_Space`. Python's own idea of it has four separators more.
_SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_SPACE = re.compile(f"[{_SPACES}]+")
_DIGIT = re.compile("[0-9]")
_TO_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass
class Lead:
    """The fields of the form. People leave fields empty, so an empty one counts as missing."""

    email: str = ""
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    phone: str = ""
    budget: Decimal | None = None
    message: str = ""


@dataclass
class Contact:
    """What the CRM takes."""

    email: str
    name: str
    company: str | None = None
    phone: str | None = None
    # The `Decimal` that the SDK read remembers how it was written.
    budget: Decimal | None = None
    note: str | None = None
    source: str = ""


@dataclass
class Options:
    """What the flow may choose."""

    source: str = "web form"


@mapper
def to_contact(lead: Lead, options: Options) -> Contact:
    """The mapper. Raises an `invalid-input` without an address that could receive mail."""
    email = _read_email(lead.email)
    parts = f"{_words(lead.first_name) or ''} {_words(lead.last_name) or ''}"
    return Contact(
        email=email,
        # A contact needs some name; who gives none is known by the address.
        name=_words(lead.name) or _words(parts) or email,
        company=_words(lead.company),
        phone=_read_phone(lead.phone),
        budget=lead.budget,
        note=_trim(lead.message) or None,
        source=options.source,
    )


def _read_email(text: str) -> str:
    """The address in lower case: people write their own in many ways, and the CRM knows a contact by it.

    Letters beyond ASCII stay as they are: what is the same address to a mail server is known of ASCII alone.
    """
    email = _trim(text).translate(_TO_LOWER)
    name, _, host = email.partition("@")
    labels = host.split(".")
    if name and len(labels) > 1 and all(labels) and "@" not in host and not _SPACE.search(email):
        return email
    message = "is not an e-mail address" if email else "is missing"
    raise Fault.invalid_input("the lead has no address to write to", code="email", fields={"/email": message})


def _read_phone(text: str) -> str | None:
    """The digits, with the plus of an international number; none if too few are left to be a number."""
    digits = "".join(_DIGIT.findall(text))
    plus = "+" if _trim(text).startswith("+") else ""
    return plus + digits if len(digits) >= 5 else None


def _words(text: str) -> str | None:
    """The words with single spaces between them; none if there are none."""
    return _SPACE.sub(" ", _trim(text)) or None


def _trim(text: str) -> str:
    return text.strip(_SPACES)
