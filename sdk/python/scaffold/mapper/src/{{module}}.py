"""Greets whoever an event names. Start at `to_greeting`."""

from __future__ import annotations

from dataclasses import dataclass

from weir_sdk import Fault, Origin, mapper


@dataclass
class Visit:
    """What comes in."""

    name: str
    language: str = "en"


@dataclass
class Greeting:
    """What goes out. A field that is None, and whose default is None, is left out."""

    text: str
    at: str
    sender: str | None = None


@dataclass
class Options:
    """What the flow may choose."""

    sender: str | None = None


WORDS = {"en": "Hello", "de": "Guten Tag", "fr": "Bonjour"}


@mapper
def to_greeting(visit: Visit, origin: Origin, options: Options) -> Greeting:
    """The mapper. Raises an `invalid-input` for a language that it does not speak."""
    if visit.language not in WORDS:
        message = f"is none of: {', '.join(WORDS)}"
        raise Fault.invalid_input("there is no greeting in that language", fields={"/language": message})
    return Greeting(f"{WORDS[visit.language]}, {visit.name}!", at=origin.received, sender=options.sender)
