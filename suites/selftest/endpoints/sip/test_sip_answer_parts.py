"""What a 200 carries beside its session description, and that the one who called can read all of it."""

from __future__ import annotations

from virtual_sip import OFFER, virtually

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.protocols import sdp
from harness.protocols.sip.body import Part, find
from harness.transport.context import Context


def test_a_200_carries_parts_beside_its_session_description_and_is_kept() -> None:
    async def work(context: Context) -> None:
        def answer(call: IncomingCall) -> None:
            described, _ = sdp.answer(call.remote_sdp, "127.0.0.1", 5000)
            note = Part("text/plain", b"noted", {"content-id": "<1@here>", "content-disposition": "render"})
            call.answer(described, [("Recv-Info", "weather")], beside=[note])

        callee = await UserAgent.open(context, "callee", on_invite=answer)
        caller = await UserAgent.open(context, "caller")
        call = caller.invite(callee.uri, offer=OFFER)
        assert call.accepted is None
        await call.answered(within=2.0)
        assert call.accepted is not None
        assert find(call.accepted, "text/plain") == b"noted"
        assert call.accepted.values("recv-info") == ["weather"]
        assert sdp.negotiated(OFFER, call.remote_sdp).port == 5000
        call.hang_up()
        await call.ended(within=2.0)
        await caller.close()
        await callee.close()

    virtually(work)
