"""The role `mapper`."""

from __future__ import annotations

from wit_world.imports import types as wit

from .. import plugin
from ..document import Origin
from . import guarded, lift, lower


class Mapper:
    """What the host calls."""

    def transform(self, origin: wit.Origin, input: wit.Document, options: str) -> list[wit.Document]:
        """Maps a document."""
        documents = guarded(lambda: plugin.transform(Origin(**vars(origin)), lift(input), options))
        return [lower(document) for document in documents]
