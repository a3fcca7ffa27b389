"""The decorators that make a plugin of functions, and the registry of what they decorated.

The first parameter of a decorated function is its input, read as its annotation says: a dataclass, a `dict`, or a
`Document` for the raw bytes. Further parameters are asked for by name.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .boundary import pairs, text, text_or_none
from .document import Context, Document, Documents, Origin, as_document, read_json
from .fault import Fault, to_milliseconds
from .trace import place_of

__all__ = ["Call", "Identity", "Receipt", "Settlement", "action", "check", "mapper", "verify"]

Function = TypeVar("Function", bound=Callable[..., Any])
Written = TypeVar("Written")


@dataclass
class Call:
    """One call of an action."""

    action: str
    """Which, by the name in the manifest."""
    input: Document
    """The input of the step."""
    cursor: str | None = None
    """For a listing action: where the page begins. None: with the first."""
    context: Context = field(default_factory=Context)
    """The circumstances, with the idempotency key."""


@dataclass
class Receipt:
    """What an action gave. An action may also give its output alone."""

    output: Any
    """Its output: a `Document`, or anything that can be written as JSON."""
    external_id: str | None = None
    """The id that the destination gave to what was created or changed."""
    next: str | None = None
    """For a listing action: the cursor of the following page. None: this was the last."""
    metadata: list[tuple[str, str]] = field(default_factory=list)
    """Anything else worth keeping."""


@dataclass
class Settlement:
    """What became of an attempt whose answer was lost. Made by `happened`, `absent` or `undecided`."""

    state: typing.Literal["happened", "absent", "undecided"]
    receipt: Receipt | None = None
    after_ms: int | None = None

    @classmethod
    def happened(cls, receipt: Any) -> Settlement:
        """It had its effect. The receipt, or output, is what the action would have given."""
        return cls("happened", receipt=as_receipt(receipt))

    @classmethod
    def absent(cls) -> Settlement:
        """It had none, and may be repeated."""
        return cls("absent")

    @classmethod
    def undecided(cls, after: float | None = None) -> Settlement:
        """It cannot be said yet. Ask again, after so many seconds if a number is given."""
        return cls("undecided", after_ms=to_milliseconds(after))


@dataclass
class Identity:
    """Whose a connection is."""

    label: str
    """For people, such as `Example Ltd. (sandbox)`."""
    account: str | None = None
    """The account at the destination; given to later calls as `context.account`."""
    base_url: str | None = None
    """The address that requests should go to, where only the destination knows it."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings to add to those of the connection."""


class Bound:
    """A decorated function, with its parameters looked up once."""

    def __init__(self, function: Callable[..., Any], offered: tuple[str, ...], *, takes_input: bool = True) -> None:
        self.function = function
        self.takes_input = takes_input
        self.names = list(inspect.signature(function).parameters)
        if takes_input and not self.names:
            raise TypeError(f"`{function.__name__}` needs a first parameter, its input")
        unknown = [name for name in self.names[takes_input:] if name not in offered]
        if unknown:
            raise TypeError(f"`{function.__name__}` asks for `{unknown[0]}`; it can have: {', '.join(offered)}")
        self._hints: dict[str, Any] | None = None

    def hint(self, name: str, default: Any) -> Any:
        """The annotation of a parameter. Looked up late, because it may name what is defined further down."""
        if self._hints is None:
            self._hints = typing.get_type_hints(self.function)
        return self._hints.get(name, default)

    def call(self, document: Document | None, offered: Mapping[str, Callable[[], Any]]) -> Any:
        """Reads what the function asks for, and calls it."""
        further = {name: offered[name]() for name in self.names[self.takes_input :]}
        if document is None:
            return self.function(**further)
        return self.function(document.read(self.hint(self.names[0], Any)), **further)

    def prepare(self) -> None:
        """Does once what every call would need: while the component is built, so that no call has to."""
        from . import typed

        for name in self.names:
            hint = self.hint(name, Any)
            if hint not in (Document, Origin, Context):
                typed.reader(hint, is_strict=name == "options")


@dataclass
class Registry:
    """What a plugin consists of."""

    mapper: Bound | None = None
    actions: dict[str, Bound] = field(default_factory=dict)
    verifications: dict[str, Bound] = field(default_factory=dict)
    check: Bound | None = None

    def prepare(self) -> None:
        """See `Bound.prepare`."""
        for bound in (self.mapper, self.check, *self.actions.values(), *self.verifications.values()):
            if bound is not None:
                bound.prepare()


REGISTRY = Registry()

_OF_A_CALL = ("context", "cursor", "action")


def bind(function: Callable[..., Any], offered: tuple[str, ...], *, takes_input: bool = True) -> Bound:
    """The function's binding; made by its decorator."""
    bound: Bound | None = getattr(function, "__weir__", None)
    if bound is None:
        bound = Bound(function, offered, takes_input=takes_input)
        function.__weir__ = bound  # type: ignore[attr-defined]
    return bound


def mapper(function: Function) -> Function:
    """Makes a function the plugin's mapper. Beside the input it may ask for `origin` and `options`.

    What it gives is one document, written as JSON unless it is a `Document`; `Documents` are several or none; a generator
    makes a document of each value.
    """
    if REGISTRY.mapper is not None and REGISTRY.mapper.function.__module__ == function.__module__:
        raise TypeError(f"a plugin has one mapper, and `{REGISTRY.mapper.function.__name__}` is it already")
    REGISTRY.mapper = bind(function, ("origin", "options"))
    return function


def action(name: str) -> Callable[[Function], Function]:
    """Makes a function the action of that name in the manifest. Beside the input it may ask for `context` and `cursor`.

    What it gives is a `Receipt`, or the output alone.
    """

    def register(function: Function) -> Function:
        REGISTRY.actions[name] = bind(function, _OF_A_CALL)
        return function

    return register


def verify(name: str) -> Callable[[Function], Function]:
    """Makes a function the one that settles attempts of an action whose answer was lost. It gives a `Settlement`."""

    def register(function: Function) -> Function:
        REGISTRY.verifications[name] = bind(function, _OF_A_CALL)
        return function

    return register


def check(function: Function) -> Function:
    """Makes a function the test of a connection. It may ask for `context`, and gives an `Identity`."""
    REGISTRY.check = bind(function, ("context",), takes_input=False)
    return function


def transform(origin: Origin, document: Document, options: str) -> list[Document]:
    """Maps a document with the plugin's mapper."""
    if REGISTRY.mapper is None:
        raise Fault.internal("the plugin has no function with `@mapper`", code="no-such-role")
    return run_mapper(REGISTRY.mapper, origin, document, options)


def invoke(call: Call) -> Receipt:
    """Carries out the action that the call names."""
    bound = REGISTRY.actions.get(call.action)
    if bound is None:
        raise Fault.internal(f"the plugin has no code for action `{call.action}`", code="unknown-action")
    return run_action(bound, call)


def settle(call: Call) -> Settlement:
    """Settles a call whose answer was lost."""
    bound = REGISTRY.verifications.get(call.action)
    if bound is None:
        raise Fault.unknown_outcome(f"the plugin cannot verify action `{call.action}`", code="cannot-verify")
    return run_verification(bound, call)


def run_mapper(bound: Bound, origin: Origin, document: Document, options: str) -> list[Document]:
    """Reads the arguments, calls the function, writes what it gives."""
    choices = _read_options(bound, options)
    given = bound.call(document, {"origin": lambda: origin, "options": lambda: choices})
    if given is None:
        name = bound.function.__name__
        raise Fault.internal(f"`{name}` gave nothing; to let an event go no further, give `Documents.none()`")
    if isinstance(given, Documents) or inspect.isgenerator(given):
        return [_written(bound, as_document, value) for value in given]
    return [_written(bound, as_document, given)]


def _written(bound: Bound, write: Callable[[Any], Written], value: Any) -> Written:
    try:
        return write(value)
    except (TypeError, ValueError) as error:
        name, place = bound.function.__name__, place_of(bound.function)
        raise Fault.internal(f"what `{name}` gave cannot be written: {error}", details={"at": place}) from None


def _read_options(bound: Bound, options: str) -> Any:
    # A mapper that asks for none has none, and a flow that gives some is told so.
    hint = bound.hint("options", dict) if "options" in bound.names else _NoOptions
    try:
        # A flow without options may give none or an empty object.
        return read_json(options or "{}", hint, is_strict=True)
    except Fault as fault:
        raise Fault.invalid_input(f"the options of this step: {fault.message}", code="options") from None


@dataclass
class _NoOptions:
    pass


def run_action(bound: Bound, call: Call) -> Receipt:
    """Reads the input, carries the action out."""
    return _written(bound, as_receipt, bound.call(call.input, _offered(call)))


def run_verification(bound: Bound, call: Call) -> Settlement:
    """Reads the input, settles the call."""
    settlement = bound.call(call.input, _offered(call))
    if not isinstance(settlement, Settlement):
        raise Fault.internal(f"`{bound.function.__name__}` gave no `Settlement`")
    if settlement.receipt is not None:
        _written(bound, as_receipt, settlement.receipt)
    return settlement


def run_check(bound: Bound, context: Context) -> Identity:
    """Tests a connection."""
    identity = bound.call(None, {"context": lambda: context})
    if not isinstance(identity, Identity):
        raise Fault.internal(f"`{bound.function.__name__}` gave no `Identity`")
    return _written(bound, _as_identity, identity)


def _as_identity(identity: Identity) -> Identity:
    identity.label = text("label", identity.label)
    identity.account = text_or_none("account", identity.account)
    identity.base_url = text_or_none("base_url", identity.base_url)
    return identity


def _offered(call: Call) -> Mapping[str, Callable[[], Any]]:
    return {"context": lambda: call.context, "cursor": lambda: call.cursor, "action": lambda: call.action}


def as_receipt(given: Any) -> Receipt:
    """The receipt of an output alone; its output is a document."""
    receipt = given if isinstance(given, Receipt) else Receipt(given)
    receipt.output = as_document(receipt.output)
    receipt.external_id = text_or_none("external_id", receipt.external_id)
    receipt.next = text_or_none("next", receipt.next)
    receipt.metadata = pairs("metadata", receipt.metadata)
    return receipt
