"""The role `verification`."""

from __future__ import annotations

from wit_world.exports import actions as wit_actions
from wit_world.exports import verification as wit

from .. import plugin
from . import guarded
from .actions import lift_call, lower_receipt


class Verification:
    """What the host calls."""

    def verify(self, call: wit_actions.Call) -> wit.Settlement:
        """Settles a call whose answer was lost."""
        settlement = guarded(lambda: plugin.settle(lift_call(call)))
        if settlement.state == "happened" and settlement.receipt is not None:
            return wit.Settlement_Happened(lower_receipt(settlement.receipt))
        if settlement.state == "absent":
            return wit.Settlement_Absent()
        return wit.Settlement_Undecided(settlement.after_ms)
