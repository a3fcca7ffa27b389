"""The tickets of a help desk that honours no idempotency key. So every ticket carries the step's key as its reference, and
a lost answer is settled by looking for it. Start at `create_ticket` and `verify_create`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from weir_sdk import Context, Fault, Identity, Receipt, Settlement, action, check, http, log, verify

_TICKETS = "/api/v2/tickets"


@dataclass
class Search:
    """What to look for."""

    reference: str


@dataclass
class Ticket:
    """A ticket to be."""

    subject: str
    requester: str
    body: str = ""
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    reference: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class Listing:
    """How to list."""

    limit: int = 100


@dataclass
class Page:
    """What the help desk answers to a search and to a listing."""

    results: list[dict[str, Any]]
    next: str | None = None
    indexed_behind_ms: int = 0


@action("find-ticket")
def find_ticket(search: Search) -> Receipt:
    """A ticket that is not there is an answer, not a fault."""
    found = _look_up(search.reference).results
    ticket = found[0] if found else None
    return Receipt({"found": bool(found), "ticket": ticket}, external_id=_id_of(ticket) if ticket else None)


@action("create-ticket")
def create_ticket(ticket: Ticket, context: Context) -> Receipt:
    """Raises what the help desk says."""
    new = {
        "subject": ticket.subject,
        "requester": ticket.requester,
        "body": ticket.body,
        "priority": ticket.priority,
        "reference": _reference(ticket, context),
        "fields": ticket.fields,
    }
    stored = _checked(http.post(_TICKETS, json=new)).json(dict[str, Any])
    log.info("created a ticket", id=_id_of(stored))
    return Receipt(stored, external_id=_id_of(stored))


@verify("create-ticket")
def verify_create(ticket: Ticket, context: Context) -> Settlement:
    """Settles a `create-ticket` whose answer was lost. The search lags behind, and the help desk says by how much: what is
    not found while it does may still be there."""
    page = _look_up(_reference(ticket, context))
    if page.results:
        return Settlement.happened(Receipt(page.results[0], external_id=_id_of(page.results[0])))
    if page.indexed_behind_ms:
        return Settlement.undecided(after=page.indexed_behind_ms / 1000)
    return Settlement.absent()


@action("list-tickets")
def list_tickets(listing: Listing, cursor: str | None) -> Receipt:
    """One page, and the cursor of the next."""
    query = {"limit": str(listing.limit)}
    if cursor is not None:
        query["after"] = cursor
    page = _checked(http.get(_TICKETS, query=query)).json(Page)
    return Receipt(page.results, next=page.next)


@check
def check_connection(context: Context) -> Identity:
    """Asks the help desk whose the credential is."""
    me = _checked(http.get("/api/v2/me")).json(dict[str, Any])
    return Identity(str(me.get("name", context.connection)), account=str(me["account"]))


def _reference(ticket: Ticket, context: Context) -> str:
    return ticket.reference or context.idempotency_key


def _look_up(reference: str) -> Page:
    page: Page = _checked(http.get(_TICKETS, query={"reference": reference})).json(Page)
    return page


def _id_of(ticket: dict[str, Any]) -> str:
    return str(ticket["id"])


def _checked(response: http.Response) -> http.Response:
    """As `Response.check`, with what this help desk says more in its body: a code, a message, and the fields at fault."""
    if response.is_success:
        return response
    fault = response.to_fault()
    try:
        refusal = response.json(dict[str, Any])
        fault.code = str(refusal["code"])
        fault.message = f"the help desk says: {refusal['message']}"
        for name, message in refusal.get("errors", {}).items():
            fault.field(f"/{name}", str(message))
    except (Fault, KeyError):
        # A gateway in between answers in its own words, which the fault holds already.
        log.debug("the refusal is not the help desk's own", status=response.status)
    raise fault
