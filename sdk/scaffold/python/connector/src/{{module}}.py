"""Creates notes at a destination that honours `Idempotency-Key`. Start at `create_note` and `verify_create`, which settle
together what happens when an answer is lost."""

from __future__ import annotations

from dataclasses import dataclass

from weir_sdk import Context, Identity, Receipt, Settlement, action, check, http, verify


@dataclass
class Note:
    """A note to be: schemas/note.json."""

    title: str
    text: str


@dataclass
class Stored:
    """A note at the destination: schemas/stored.json."""

    id: str


@dataclass
class Me:
    """Whose account it is."""

    name: str


@action("create-note")
def create_note(note: Note, context: Context) -> Receipt:
    """It does not retry: `check` makes the fault of a status, and Weir repeats the step by its kind."""
    stored = http.post("/notes", json=note, idempotency_key=context).check().json(Stored)
    return Receipt(stored, external_id=stored.id)


@verify("create-note")
def verify_create(note: Note) -> Settlement:
    """Settles a `create-note` whose answer was lost."""
    found = http.get("/notes", query={"title": note.title}).check().json(list[Stored])
    return Settlement.happened(Receipt(found[0], external_id=found[0].id)) if found else Settlement.absent()


@check
def check_connection() -> Identity:
    """Tests a connection and says whose it is."""
    return Identity(http.get("/me").check().json(Me).name)
