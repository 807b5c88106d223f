"""SIP over IPv6 in virtual time: brackets where they belong, and both families at one agent."""

from __future__ import annotations

import asyncio

import pytest
from virtual_sip import OFFER, answering, virtually

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.transports import Listen
from harness.transport.context import Context


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a_call_over_ipv6_names_its_addresses_in_brackets(transport: str) -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []

        def take(call: IncomingCall) -> None:
            taken.append(call)
            answering(call)

        switch = await UserAgent.open(context, "switch", listen=[Listen(transport, "::1")], on_invite=take)
        trunk = await UserAgent.open(context, "trunk", listen=[Listen(transport, "::1")])
        assert switch.uri.startswith(f"sip:switch@[::1]:{switch.address[1]}")
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=1)
        request = taken[0].request
        assert (request.via.host, request.via.params.get("received")) == ("[::1]", "::1")
        assert request.contact is not None and request.contact.uri.host == "[::1]"
        assert call.dialog is not None and "[::1]" in call.dialog.target
        sent = context.journal.find("trunk", "sip.sent")
        assert sent is not None and sent.data["peer"] == f"[::1]:{switch.address[1]}"
        taken[0].hang_up()
        await call.ended(within=1)
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=1)
        call.hang_up()
        await call.ended(within=1)
        await trunk.close()
        await switch.close()

    virtually(work)


def test_an_agent_of_both_families_tells_each_peer_the_address_that_it_can_reach() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        both = [Listen(transport, host) for transport in ("UDP", "TCP") for host in ("127.0.0.1", "::1")]
        agent = await UserAgent.open(context, "both", listen=both, on_invite=taken.append)
        assert agent.uri.startswith("sip:both@127.0.0.1")
        for kind in ("UDP", "UDP6", "TCP", "TCP6"):
            host = "::1" if kind.endswith("6") else "127.0.0.1"
            peer = await UserAgent.open(context, kind, listen=[Listen(kind[:3], host)], on_invite=taken.append)
            call = peer.invite(agent.card.uri(kind), offer=OFFER)
            await asyncio.sleep(0.1)
            answering(taken[-1])
            await call.answered(within=1)
            assert call.dialog is not None and call.dialog.target == agent.card.uri(kind)
            taken[-1].hang_up()
            await call.ended(within=1)
            call = agent.invite(peer.uri, offer=OFFER)
            await asyncio.sleep(0.1)
            contact = taken[-1].request.contact
            assert contact is not None and str(contact.uri) == agent.card.uri(kind)
            assert taken[-1].request.via.host == ("[::1]" if kind.endswith("6") else "127.0.0.1")
            answering(taken[-1])
            await call.answered(within=1)
            call.hang_up()
            await call.ended(within=1)
            await peer.close()
        await agent.close()

    virtually(work)
