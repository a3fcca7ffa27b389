"""Finds, creates and lists notes. Start at `create_note` and `verify_create`, which settle together what happens when an
answer is lost."""

from __future__ import annotations

from dataclasses import dataclass

from weir_sdk import Context, Identity, Receipt, Settlement, action, check, http, verify


@dataclass
class Note:
    """A note to be."""

    title: str
    text: str = ""


@dataclass
class Stored:
    """A note at the destination."""

    id: str
    title: str = ""
    text: str = ""


@dataclass
class Page:
    """What the destination answers to a search and to a listing."""

    results: list[Stored]
    next: str | None = None


@dataclass
class Search:
    """What to look for."""

    title: str


@dataclass
class Listing:
    """How to list."""

    limit: int = 50


@action("find-note")
def find_note(search: Search) -> Receipt:
    """A note that is not there is an answer, not a fault."""
    note = _look_up(search.title)
    return Receipt({"found": note is not None, "note": note}, external_id=note.id if note else None)


@action("create-note")
def create_note(note: Note, context: Context) -> Receipt:
    """Sends the step's key along, so that a repetition makes no second note."""
    stored = http.post("/notes", json=note, idempotency_key=context).check().json(Stored)
    return Receipt(stored, external_id=stored.id)


@verify("create-note")
def verify_create(note: Note) -> Settlement:
    """Settles a `create-note` whose answer was lost. Changes nothing."""
    found = _look_up(note.title)
    return Settlement.happened(Receipt(found, external_id=found.id)) if found else Settlement.absent()


@action("list-notes")
def list_notes(listing: Listing, cursor: str | None) -> Receipt:
    """One page, and the cursor of the next."""
    query = {"limit": str(listing.limit), **({"after": cursor} if cursor else {})}
    page = http.get("/notes", query=query).check().json(Page)
    return Receipt(page.results, next=page.next)


@check
def check_connection(context: Context) -> Identity:
    """Makes a harmless request, and says whose the account is."""
    me = http.get("/me").check().json(dict[str, str])
    return Identity(me.get("name", context.connection), account=me.get("id"))


def _look_up(title: str) -> Stored | None:
    page: Page = http.get("/notes", query={"title": title}).check().json(Page)
    return page.results[0] if page.results else None
