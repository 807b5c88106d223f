"""What an automatic operator does with a call: asks, listens, connects, hands over, stays for a while, leaves."""

from __future__ import annotations

import asyncio

from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip.emergency_call import Caller, Line, Silent, Stage, Why
from simulators.emergency.call import EmergencyCall
from simulators.emergency.connecting import Connector
from simulators.emergency.hearing import Heard, listen, silent_solution, until_quiet
from simulators.emergency.plant import Plant
from simulators.emergency.records import Outcome


async def serve(plant: Plant, call: EmergencyCall, desk: str) -> None:
    """Take a call that waits, from its answer to the operator's leaving."""
    await asyncio.sleep(plant.drawn(plant.operators.answer_s, call.id, "answer") + plant.faults.slower_by)
    if await call.operator_answers(desk):
        await go_on(plant, call)


async def go_on(plant: Plant, call: EmergencyCall) -> None:
    """Go on with a call that was answered: from the first question where the caller speaks for itself."""
    asks = call.calling.text is None and call.calling.ecall is None and call.caller_is is not Caller.GONE
    if asks and not await _service_is_needed(plant, call):
        return
    if not call.over:
        await call.say(plant.announcements.operator_connecting)
        await hand_on(plant, call)


async def _service_is_needed(plant: Plant, call: EmergencyCall) -> bool:
    """Ask; whether the call is to be connected. One that is not has been ended."""
    clips, listens = plant.announcements, plant.operators.listen_s
    since = plant.journal.now()
    await call.say(clips.operator_service)
    heard = await listen(call, listens, since=since)
    if heard is Heard.NOTHING and not call.over:
        since = plant.journal.now()
        await call.say(clips.operator_prompt)
        heard = await listen(call, listens, since=since, noise_dbov=plant.settings.silent.noise_dbov)
        if heard is Heard.NOISE:
            call.silent = Silent.NOISE
            return not call.over
    if call.over:
        return False
    if heard is not Heard.NOTHING:  # a short word is no noise: nobody was asked for one
        await until_quiet(call, plant.operators.speak_s)
        return not call.over
    if call.calling.line is Line.LANDLINE:
        call.silent = Silent.UNRESOLVED
        return True
    return await solve(plant, call)


async def solve(plant: Plant, call: EmergencyCall) -> bool:
    """Put the caller through Silent Solution; whether the call is to be connected. One that is not has been ended."""
    call.stage = Stage.ANNOUNCEMENT
    call.tell("call.announcement", seconds=plant.settings.silent.announcement_s)
    heard = await silent_solution(call)
    if call.over:
        return False
    call.stage = Stage.OPERATOR
    call.tell("silent.heard", heard=str(heard))
    if heard is Heard.NOTHING:
        call.end(Outcome.SILENT_NO_55, "network", why=Why.OPERATOR)
        return False
    await call.hush_all()
    call.silent = Silent.PRESSED_55 if heard is Heard.PRESSED_55 else Silent.NOISE
    return True


async def hand_on(plant: Plant, call: EmergencyCall) -> None:
    """Connect a call, hand it over and stay; the operator leaves in the end."""
    authority = plant.authorities.serving(call.calling.service)
    if not await Connector(plant, call).connect(authority):
        if not call.over:
            await call.say(plant.announcements.operator_sorry)
            call.end(Outcome.NO_ANSWER, "operator", why=Why.OPERATOR)
        return
    await call.say(_words(plant, call))
    stays = plant.operators.stay_s
    if call.caller_is is Caller.GONE:
        call.crew.leave(call)
    elif stays is not None:
        await asyncio.sleep(plant.drawn(stays, call.id, "stay"))
        call.crew.leave(call)


async def tell_gone(plant: Plant, call: EmergencyCall) -> None:
    """Tell a control room that its caller has cleared, and leave."""
    await call.say(plant.announcements.operator_gone)
    call.crew.leave(call)


def _words(plant: Plant, call: EmergencyCall) -> Samples:
    """What the operator tells the control room."""
    clips = plant.announcements
    if call.caller_is is Caller.GONE:
        return clips.operator_gone
    if call.buddy:
        return clips.operator_buddy
    if call.calling.text is not None:
        return clips.operator_text
    return clips.operator_silent if call.silent is not None else clips.operator_handover
