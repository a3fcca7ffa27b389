"""The role `connection`."""

from __future__ import annotations

from wit_world.exports import connection as wit
from wit_world.imports import types as wit_types

from .. import json, plugin
from ..document import Context
from ..fault import Fault
from . import guarded


class Connection:
    """What the host calls."""

    def check(self, context: wit_types.Context) -> wit.Identity:
        """Tests a connection."""
        return guarded(lambda: _check(Context(**vars(context))))


def _check(context: Context) -> wit.Identity:
    if plugin.REGISTRY.check is None:
        raise Fault.internal("the plugin has no function with `@check`", code="no-such-role")
    identity = plugin.run_check(plugin.REGISTRY.check, context)
    settings = json.dumps(identity.settings).decode("utf-8")
    return wit.Identity(identity.label, identity.account, identity.base_url, settings)
