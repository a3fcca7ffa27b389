"""Makes a greeting of a name. Start at `greet`."""

from __future__ import annotations

from dataclasses import dataclass

from weir_sdk import Fault, mapper


@dataclass
class Person:
    """What comes in: schemas/input.json."""

    name: str


@dataclass
class Greeting:
    """What goes out: schemas/output.json."""

    greeting: str


@dataclass
class Options:
    """What a flow may choose: schemas/options.json."""

    salutation: str = "Hello"


@mapper
def greet(person: Person, options: Options) -> Greeting:
    """The mapper. Pure: the same input gives the same output, at any time and anywhere."""
    name = person.name.strip()
    if not name:
        raise Fault.invalid_input("there is nobody to greet", code="no-name", fields={"/name": "is empty"})
    return Greeting(f"{options.salutation}, {name}!")
