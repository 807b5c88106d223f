"""Opens a radio that a control line keys."""

from __future__ import annotations

from harness.drivers.keyed_radio import KeyedRadio
from harness.endpoints.keying import Wiring
from harness.testbed.components import Binding, KeyedRadioComponent
from harness.testbed.opening.base import Opening


async def open_keyed_radio(opening: Opening, name: str, component: KeyedRadioComponent) -> KeyedRadio:
    """Open its lines, the key at rest."""
    simulated = component.binding is Binding.SIMULATED
    told = component.simulator
    wiring = component.wiring.wiring()
    if simulated:
        wiring = Wiring(
            key=told.key,
            key_inverted=told.key_inverted,
            carrier=told.carrier,
            footswitch=told.footswitch if told.footswitch != told.carrier else None,
            echo="cts" if told.key == "rts" else "dsr",
        )
    return await KeyedRadio.open(
        opening.context,
        name,
        url=component.lines or opening.addresses.url(name, "lines"),
        wiring=wiring,
        target=component.talkgroup or name,
        permit=opening.interlock.radio,
        control=opening.addresses.url(name, "http") if simulated else None,
        token=told.token.get_secret_value() if simulated and told.token is not None else None,
    )
