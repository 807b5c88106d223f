"""What a control room has to show when its people act: a model that writes each act down as steps of a scenario.

Theory. The model knows who talks with whom, who has which floor and which emergency is open. Each act that is possible
there becomes a step, and what has to be seen of it becomes the expectation after it, so that any sequence of acts is a
scenario that says by itself what is right. It is kept apart from the simulator: of that it has no code and no state.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML

TELEPHONY: Final = """\
name: exploration
talkgroups: {GD-OPS-1: 1001, GD-OPS-2: 1002}
components:
  iccs:
    role: iccs
    simulator:
      positions:
        - {site: govan, first: 12, last: 13, role: call_taker}
        - {site: govan, first: 31, last: 32, role: dispatcher, talkgroups: [GD-OPS-1, GD-OPS-2], may: [patch]}
  trunk: {role: emergency_trunk, to: iccs}
  govan-12: {role: console, position: govan-12}
  govan-13: {role: console, position: govan-13}
"""
"""A testbed on which telephones alone are used; with RADIO after it, radios too."""
RADIO: Final = """\
  govan-31: {role: console, position: govan-31}
  govan-32: {role: console, position: govan-32}
  radio: {role: radio_network}
  gateway-1: {role: radio_gateway, issi: 4009001, talkgroup: GD-OPS-1}
  gateway-2: {role: radio_gateway, issi: 4009002, talkgroup: GD-OPS-2}
  officer: {role: radio_terminal, issi: 4001234, talkgroup: GD-OPS-1}
  sergeant: {role: radio_terminal, issi: 4001235, talkgroup: GD-OPS-1}
  colleague: {role: radio_terminal, issi: 4001236, talkgroup: GD-OPS-2}
"""
GATEWAYS: Final = {"GD-OPS-1": 4009001, "GD-OPS-2": 4009002}
RADIOS: Final = {
    "officer": (4001234, "GD-OPS-1"),
    "sergeant": (4001235, "GD-OPS-1"),
    "colleague": (4001236, "GD-OPS-2"),
}
TAKERS: Final = ("first_taker", "second_taker")
DISPATCHERS: Final = ("west", "east")
CALLERS: Final = {"anna": "+447700900101", "bert": "+447700900102"}
ACTORS: Final[dict[str, dict[str, Any]]] = {
    **{name: {"role": "trunk_caller", "number": number} for name, number in CALLERS.items()},
    "first_taker": {"role": "console", "position": "govan-12"},
    "second_taker": {"role": "console", "position": "govan-13"},
    "west": {"role": "console", "position": "govan-31"},
    "east": {"role": "console", "position": "govan-32"},
    **{name: {"role": "radio_terminal", "issi": issi} for name, (issi, _) in RADIOS.items()},
}
SHOWN: Final = "2 s"
"""Everything has to be shown within this; what a patch passes on within PATCHED."""
PATCHED: Final = "3 s"


@dataclass(slots=True)
class Call:
    """A call that is not over."""

    id: str
    """As the scenario refers to it: ``${name.call}``."""
    caller: str | None
    """None: between two takers."""
    at: list[str] = field(default_factory=list)
    """Who takes part in it at the takers' consoles; nobody while it rings."""
    held: bool = False


@dataclass(slots=True)
class Desk:
    """The control room as it has to be, and the timeline so far."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    talks: dict[str, str] = field(default_factory=dict)
    """Who talks on the radio, a dispatcher or a radio, and on which talkgroup."""
    patched: str | None = None
    """The patch, as the scenario refers to it."""
    emergency: tuple[str, bool] | None = None
    """The emergency that is open, and whether it is acknowledged."""
    names: int = 0

    # Writing down

    def _name(self, what: str) -> str:
        self.names += 1
        return f"{what}_{self.names}"

    def _act(self, actor: str, verb: str, told: Any = None, keep: str | None = None) -> None:
        self.steps.append({actor: {verb: told}} | ({} if keep is None else {"as": keep}))

    def _expect(self, *expected: dict[str, Any]) -> None:
        if expected:
            self.steps.append({"expect": list(expected)})

    # Telephony

    def call_of(self, who: str) -> Call | None:
        """The call that a caller has, or in which a taker talks (not one that is held)."""
        return next((c for c in self.calls if who == c.caller or (who in c.at and not c.held)), None)

    def held_at(self, taker: str) -> Call | None:
        """The call that a taker holds."""
        return next((call for call in self.calls if call.held and taker in call.at), None)

    def dial(self, caller: str, number: str) -> None:
        """A caller dials; it rings at every taker, free or not."""
        name = self._name("ring")
        self._act(caller, "dial", number)
        queue = "emergency" if number == "999" else "non_emergency"
        shown = [_seen(t, "call.ringing", queue=queue, cli=CALLERS[caller]) for t in TAKERS]
        shown[0]["as"] = name
        self._expect(*shown)
        self.calls.append(Call(f"${{{name}.call}}", caller))

    def answer(self, taker: str, call: Call) -> None:
        """A taker who talks with nobody takes a call that rings."""
        self._act(taker, "answer", {"call": call.id})
        other = _other(taker, TAKERS)
        self._expect(_seen(taker, "call.connected", call=call.id), _seen(other, "call.taken", call=call.id))
        if call.caller is not None:
            self._act(call.caller, "is_answered")
        call.at = [taker]

    def ring(self, taker: str) -> None:
        """A taker rings the other, who answers."""
        other, name = _other(taker, TAKERS), self._name("ring")
        self._act(taker, "dial", {"number": other})
        self._expect(_seen(other, "call.ringing") | {"as": name})
        call = Call(f"${{{name}.call}}", None, [taker, other])
        self._act(other, "answer", {"call": call.id})
        self._expect(*(_seen(each, "call.connected", call=call.id) for each in call.at))
        self.calls.append(call)

    def hold(self, taker: str, call: Call) -> None:
        """A taker puts a caller on hold."""
        self._act(taker, "hold")
        self._expect(_seen(taker, "call.held", call=call.id))
        call.held = True

    def resume(self, taker: str, call: Call) -> None:
        """A taker goes on with the caller who is held."""
        self._act(taker, "resume")
        self._expect(_seen(taker, "call.resumed", call=call.id))
        call.held = False

    def transfer(self, taker: str, call: Call) -> None:
        """A taker passes a caller on to the other, who answers."""
        other = _other(taker, TAKERS)
        self._act(taker, "transfer", {"to": other})
        self._expect(_seen(taker, "call.transferred", call=call.id), _seen(other, "call.ringing", call=call.id))
        self._act(other, "answer", {"call": call.id})
        self._expect(_seen(other, "call.connected", call=call.id))
        call.at = [other]

    def hang_up(self, who: str, call: Call) -> None:
        """Anybody in a call ends it, or a caller gives up while it rings."""
        self._act(who, "hang_up")
        if call.at:
            self._expect(*(_seen(each, "call.cleared", call=call.id) for each in call.at))
        else:
            self._expect(*(_seen(each, "call.abandoned", call=call.id) for each in TAKERS))
        self.calls.remove(call)

    # Radio

    def net(self, group: str) -> set[str]:
        """The talkgroups on which is heard what is said on one."""
        return set(GATEWAYS) if self.patched is not None else {group}

    def is_quiet(self, group: str) -> bool:
        """Whether nobody talks there."""
        return not self.net(group) & set(self.talks.values())

    def _heard_at_radios(self, kind: str, groups: set[str], talker: str, said_on: str) -> list[dict[str, Any]]:
        shown = []
        for radio, (_, group) in RADIOS.items():
            if group not in groups or radio == talker:
                continue
            issi = RADIOS[talker][0] if talker in RADIOS and group == said_on else GATEWAYS[group]
            data: dict[str, Any] = {"talkgroup": group} | ({"issi": issi} if kind == "talker.shown" else {})
            shown.append(_seen(radio, kind, within=SHOWN if group == said_on else PATCHED, **data))
        return shown

    def _talks(self, talker: str, group: str, *shown: dict[str, Any]) -> None:
        """Somebody begins to talk: who is on the net is shown it, and nobody else is."""
        net = self.net(group)
        silent = [
            {"on": radio, "event": "talker.shown", "absent": True, "within": "1 s"}
            for radio, (_, its) in RADIOS.items()
            if its not in net
        ]
        self._expect(*shown, *self._heard_at_radios("talker.shown", net, talker, group), *silent)
        self.talks[talker] = group

    def key(self, dispatcher: str, group: str) -> None:
        """A dispatcher talks where nobody does."""
        self._act(dispatcher, "key", group)
        self._talks(dispatcher, group)

    def unkey(self, dispatcher: str) -> None:
        """A dispatcher has spoken."""
        group = self.talks.pop(dispatcher)
        self._act(dispatcher, "unkey")
        self._expect(
            _seen(dispatcher, "ptt.released", talkgroup=group),
            *self._heard_at_radios("talker.ended", self.net(group), dispatcher, group),
        )

    def press(self, radio: str) -> None:
        """A radio talks where nobody does; every dispatcher sees who it is."""
        issi, group = RADIOS[radio]
        self._act(radio, "press")
        self._talks(radio, group, *(_seen(seat, "talker.shown", talkgroup=group, issi=issi) for seat in DISPATCHERS))

    def release(self, radio: str) -> None:
        """A radio has spoken."""
        group = self.talks.pop(radio)
        self._act(radio, "release")
        self._expect(
            *(_seen(seat, "talker.ended", talkgroup=group) for seat in DISPATCHERS),
            *self._heard_at_radios("talker.ended", self.net(group), radio, group),
        )

    def patch(self, dispatcher: str) -> None:
        """A dispatcher patches both talkgroups; who talks on one is heard on the other from now on."""
        self.patched = f"${{{(name := self._name('patch'))}}}"
        self._act(dispatcher, "patch", list(GATEWAYS), keep=name)
        shown = [_seen(seat, "patch.made") for seat in DISPATCHERS]
        for talker, said_on in self.talks.items():
            shown += self._heard_at_radios("talker.shown", set(GATEWAYS) - {said_on}, talker, said_on)
        self._expect(*shown)

    def unpatch(self, dispatcher: str) -> None:
        """A dispatcher takes the patch apart, and it is passed on no more."""
        self._act(dispatcher, "unpatch", self.patched)
        shown = [_seen(seat, "patch.ended", patch=self.patched) for seat in DISPATCHERS]
        for talker, said_on in self.talks.items():
            shown += self._heard_at_radios("talker.ended", set(GATEWAYS) - {said_on}, talker, said_on)
        self._expect(*shown)
        self.patched = None

    def raise_emergency(self, radio: str) -> None:
        """An officer presses the emergency key where nobody talks, and talks."""
        issi, group = RADIOS[radio]
        name = self._name("emergency")
        self._act(radio, "emergency")
        shown = [_seen(seat, "emergency.shown", issi=issi, talkgroup=group) for seat in DISPATCHERS]
        shown[0]["as"] = name
        self._talks(radio, group, *shown)
        self.emergency = f"${{{name}.emergency}}", False

    def acknowledge(self, dispatcher: str) -> None:
        """A dispatcher acknowledges it, and both see who did."""
        assert self.emergency is not None
        named = self.emergency[0]
        self._act(dispatcher, "acknowledge_emergency", named)
        self._expect(*(_seen(seat, "emergency.acknowledged", emergency=named) for seat in DISPATCHERS))
        self.emergency = named, True

    def clear_emergency(self, dispatcher: str) -> None:
        """A dispatcher clears an acknowledged one, and both see that it is over."""
        assert self.emergency is not None
        named = self.emergency[0]
        self._act(dispatcher, "clear_emergency", named)
        self._expect(*(_seen(seat, "emergency.cleared", emergency=named) for seat in DISPATCHERS))
        self.emergency = None

    def select(self, dispatcher: str, group: str) -> None:
        """A dispatcher hears a talkgroup in the headset."""
        self._act(dispatcher, "select", group)
        self._expect(_seen(dispatcher, "talkgroup.selected", talkgroup=group))

    # The end

    def finish(self) -> None:
        """Undo all that is under way; then, where there was one, a call is taken and each talkgroup is keyed as ever.

        What an earlier act left behind in the simulator shows here.
        """
        for talker in tuple(self.talks):
            (self.unkey if talker in DISPATCHERS else self.release)(talker)
        if self.patched is not None:
            self.unpatch(DISPATCHERS[0])
        if self.emergency is not None:
            if not self.emergency[1]:
                self.acknowledge(DISPATCHERS[0])
            self.clear_emergency(DISPATCHERS[0])
        for call in tuple(self.calls):
            self.hang_up(call.caller or call.at[0], call)
        acted = {name for step in self.steps for name in step}
        if acted & {*TAKERS, *CALLERS}:
            for taker, caller in zip(TAKERS, CALLERS, strict=True):
                self.dial(caller, "999")
                self.answer(taker, self.calls[-1])
                self.hang_up(taker, self.calls[-1])
        if acted & {*DISPATCHERS, *RADIOS}:
            for group in GATEWAYS:
                self.key(DISPATCHERS[1], group)
                self.unkey(DISPATCHERS[1])

    def text(self) -> str:
        """The scenario as a file."""
        used = {name for step in self.steps for name in step} | {
            each["on"] for step in self.steps for each in step.get("expect", ())
        }
        used |= {t for step in self.steps for acts in step.values() if isinstance(acts, dict) for t in _told(acts)}
        tree = {
            "id": "E2E-EXPLORED",
            "title": "A sequence that exploration found",
            "media": "none",
            "actors": {name: actor for name, actor in ACTORS.items() if name in used},
            "timeline": self.steps,
        }
        out = io.StringIO()
        yaml = YAML()
        yaml.default_flow_style = None
        yaml.width = 160
        yaml.dump(tree, out)
        return out.getvalue()


def _seen(on: str, event: str, *, within: str = SHOWN, **data: Any) -> dict[str, Any]:
    return {"on": on, "event": event, "within": within} | ({"with": data} if data else {})


def _other(one: str, of: tuple[str, ...]) -> str:
    return next(each for each in of if each != one)


def _told(acts: dict[str, Any]) -> set[str]:
    """The names in what goes with an act: whom it rings or passes on to."""
    return {value for told in acts.values() if isinstance(told, dict) for value in told.values()}
