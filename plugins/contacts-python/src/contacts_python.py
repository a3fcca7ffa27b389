"""The contacts of a directory with many tenants, whose search lags behind. Start at `create_contact` and `verify_create`,
which settle together what happens when an answer is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from weir_sdk import Context, Fault, Identity, Receipt, Settlement, action, check, http, log, verify


@dataclass
class Contact:
    """A contact to be."""

    email: str
    name: str | None = None


@dataclass
class Search:
    """Whom to find."""

    email: str


@dataclass
class Listing:
    """How to list."""

    limit: int = 1000


@dataclass
class Settings:
    """Those of the connection."""

    workspace: str = "main"


@dataclass
class Page:
    """What the directory answers to a search and to a listing. Contacts go on as it has them, with every digit."""

    contacts: list[dict[str, Any]]
    next_cursor: str | None = None
    lag_ms: int = 0


@dataclass
class Detail:
    """A field at fault, in the directory's words."""

    field: str
    problem: str


@dataclass
class Refusal:
    """What the directory says when it declines."""

    code: str
    message: str
    details: list[Detail] | None = None


@action("create-contact")
def create_contact(contact: Contact, context: Context) -> Receipt:
    """The step's key is the contact's reference, by which it is found again."""
    new = {"email": contact.email, "reference": context.idempotency_key}
    if contact.name is not None:
        new["name"] = contact.name
    answer = http.post(_contacts(context), json=new, idempotency_key=context)
    return _receipt(_checked(answer).json(dict[str, Any]))


@verify("create-contact")
def verify_create(_contact: Contact, context: Context) -> Settlement:
    """Settles a `create-contact` whose answer was lost. The directory says for how long its search does not find what is
    new: what is not found while it does may still be there."""
    page = _search(context, "reference", context.idempotency_key)
    if page.contacts:
        return Settlement.happened(_receipt(page.contacts[0]))
    if page.lag_ms:
        return Settlement.undecided(after=page.lag_ms / 1000)
    return Settlement.absent()


@action("find-contact")
def find_contact(search: Search, context: Context) -> Receipt:
    """A contact that is not there is an answer, not a fault."""
    found = _search(context, "email", search.email).contacts
    if not found:
        return Receipt({"found": False, "contact": None})
    return Receipt({"found": True, "contact": found[0]}, external_id=str(found[0]["id"]))


@action("list-contacts")
def list_contacts(listing: Listing, cursor: str | None, context: Context) -> Receipt:
    """One page, and the cursor of the next."""
    query = {"limit": str(listing.limit)}
    if cursor is not None:
        query["cursor"] = cursor
    page = _checked(http.get(_contacts(context), query=query)).json(Page)
    return Receipt(page.contacts, next=page.next_cursor)


@check
def check_connection() -> Identity:
    """Asks the directory whose key it is."""
    account = _checked(http.get("/v2/{{key}}/account")).json(dict[str, str])
    return Identity(account["name"], account=account["tenant"])


def _contacts(context: Context) -> str:
    """The path of the workspace's contacts below the tenant's base URL. Weir puts the key in when the request has left the
    plugin."""
    workspace = context.read_settings(Settings).workspace
    return "/v2/{{key}}/workspaces/" + http.encode(workspace) + "/contacts"


def _search(context: Context, field: str, value: str) -> Page:
    page: Page = _checked(http.get(_contacts(context) + "/search", query={field: value})).json(Page)
    return page


def _receipt(contact: dict[str, Any]) -> Receipt:
    return Receipt(contact, external_id=str(contact["id"]))


def _checked(response: http.Response) -> http.Response:
    """As `Response.check`, with what the directory says more in its body and its header fields."""
    if response.is_success:
        return response
    fault = response.to_fault()
    reset = response.header("x-ratelimit-reset") or ""
    if response.status == 429 and fault.retry_after is None and reset.isdigit():
        fault.retry_after = int(reset)
    try:
        refusal = response.json(dict[str, Refusal])["error"]
        fault.code, fault.message = refusal.code, f"the directory says: {refusal.message}"
        for detail in refusal.details or []:
            fault.field(f"/{detail.field}", detail.problem)
    except (Fault, KeyError):
        # A gateway in between answers in its own words, which the fault holds already.
        log.debug("the refusal is not the directory's own", status=response.status)
    raise fault
