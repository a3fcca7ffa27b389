"""The role `mapper`."""

from __future__ import annotations

from wit_world.imports import types as wit

from .. import plugin
from ..document import Document, Origin
from ..fault import Fault
from . import guarded, lift, lower


class Mapper:
    """What the host calls."""

    def transform(self, origin: wit.Origin, input: wit.Document, options: str) -> list[wit.Document]:
        """Maps a document."""
        documents = guarded(lambda: _map(Origin(**vars(origin)), lift(input), options))
        return [lower(document) for document in documents]


def _map(origin: Origin, document: Document, options: str) -> list[Document]:
    if plugin.REGISTRY.mapper is None:
        raise Fault.internal("the plugin has no function with `@mapper`", code="no-such-role")
    return plugin.run_mapper(plugin.REGISTRY.mapper, origin, document, options)
