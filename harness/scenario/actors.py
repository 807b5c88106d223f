"""Who plays in a scenario: an actor's role, and by what it is found in a testbed."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field

from harness.errors import TestbedError
from harness.scenario.values import Strict
from harness.testbed.components import (
    CallerPhoneComponent,
    CallLoadComponent,
    CommandControlComponent,
    ConsoleComponent,
    CrmComponent,
    EmergencyNetworkComponent,
    EmergencyOperatorComponent,
    EnterpriseSwitchComponent,
    IccsComponent,
    RadioNetworkComponent,
    RadioTerminalComponent,
    RoipGatewayComponent,
    RoipRadioComponent,
    ScriptedPhoneComponent,
    SmsDiaryComponent,
    SmsNetworkComponent,
    TelephoneComponent,
    TrunkComponent,
    WebexComponent,
)
from harness.testbed.components.base import BoundComponent, Ssi
from harness.testbed.model import Testbed

ComponentName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]


class Place(Strict):
    """Where somebody is, WGS 84."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    radius_m: float = Field(default=20.0, gt=0, le=100_000)


class BoundActor(Strict):
    """What every actor has."""

    component: ComponentName | None = None
    """The testbed component, by name; a scenario that leaves it out runs on any testbed that has one that fits."""
    kind: ClassVar[type[BoundComponent]]
    """The component that stands behind it."""
    found_by: ClassVar[tuple[str, ...]] = ()
    """Keys that the component has to have alike."""
    shares: ClassVar[bool] = False
    """Whether several actors may stand behind one component: callers at one trunk, handsets in one network."""

    def find(self, testbed: Testbed) -> str:
        """Return the name of the one component that fits. Raises TestbedError telling what there is instead."""
        fitting = {name: each for name, each in testbed.components.items() if isinstance(each, self.kind)}
        wanted = {key: value for key in self.found_by if (value := getattr(self, key)) is not None}
        found = [
            name
            for name, each in fitting.items()
            if self.component in (None, name) and all(getattr(each, key) == value for key, value in wanted.items())
        ]
        if len(found) == 1:
            return found[0]
        told = {"component": self.component} | wanted if self.component is not None else wanted
        due = " with " + ", ".join(f"{key} {value}" for key, value in told.items()) if told else ""
        (role,) = get_args(self.kind.model_fields["role"].annotation)
        names = ", ".join(found if len(found) > 1 else fitting) or "none"
        if len(found) > 1:
            keys = " or ".join(f"'{key}'" for key in ("component", *self.found_by))
            raise TestbedError(f"testbed {testbed.name!r} has {len(found)} of {role}{due}: {names}; name one by {keys}")
        raise TestbedError(f"testbed {testbed.name!r} has no {role}{due}; it has {names}")


class EmergencyCaller(BoundActor):
    """A member of the public who dials 999."""

    role: Literal["emergency_caller"]
    number: str | None = None
    """E.164; which telephone of the testbed."""
    location: Place | None = None
    """What the handset sends with ``send_location``."""
    kind = CallerPhoneComponent
    found_by = ("number",)


class EmergencyOperatorActor(BoundActor):
    """An operator of the 999 network, driven by hand."""

    role: Literal["emergency_operator"]
    desk: str | None = None
    kind = EmergencyOperatorComponent
    found_by = ("desk",)


class ConsoleActor(BoundActor):
    """Whoever sits at a console of the control room; a person may."""

    role: Literal["console"]
    position: str | None = None
    kind = ConsoleComponent
    found_by = ("position",)


class RadioTerminalActor(BoundActor):
    """An officer with a TETRA terminal."""

    role: Literal["radio_terminal"]
    issi: Ssi | None = None
    talkgroup: str | None = None
    location: Place | None = None
    """What the terminal sends with ``emergency`` and ``send_location``."""
    kind = RadioTerminalComponent
    found_by = ("issi", "talkgroup")


class CommandControlActor(BoundActor):
    """Command and control: its operator, and whoever makes it fail."""

    role: Literal["command_control"]
    kind = CommandControlComponent


class EmergencyNetworkActor(BoundActor):
    """Whoever runs the simulated 999 network."""

    role: Literal["emergency_network"]
    kind = EmergencyNetworkComponent


class SupervisorActor(BoundActor):
    """Whoever looks at the control room's wallboard, records and reconciliation."""

    role: Literal["supervisor"]
    kind = IccsComponent


class RadioNetworkActor(BoundActor):
    """Whoever runs the simulated radio network."""

    role: Literal["radio_network"]
    kind = RadioNetworkComponent


class RoipRadioActor(BoundActor):
    """A dispatcher's radio behind an ED-137 gateway."""

    role: Literal["roip_radio"]
    talkgroup: str | None = None
    kind = RoipRadioComponent
    found_by = ("talkgroup",)


class RoipGatewayActor(BoundActor):
    """Whoever runs the simulated ED-137 gateway."""

    role: Literal["roip_gateway"]
    kind = RoipGatewayComponent


class TrunkCallerActor(BoundActor):
    """A member of the public whose call comes in at the control room's trunk, of any number called.

    One trunk carries any number of them.
    """

    role: Literal["trunk_caller"]
    number: str | None = None
    """E.164; what the control room sees. Withheld where left out."""
    kind = TrunkComponent
    shares = True


class CallLoadActor(BoundActor):
    """Many callers at once, of whom each only waits and talks."""

    role: Literal["call_load"]
    kind = CallLoadComponent


class ScriptedPhoneActor(BoundActor):
    """A member of the public's telephone that can be rung back."""

    role: Literal["scripted_phone"]
    number: str | None = None
    """E.164; what the control room sees. Its name where left out."""
    kind = ScriptedPhoneComponent


class HandsetActor(BoundActor):
    """A member of the public's mobile in a simulated SMS network, by which they get and send texts."""

    role: Literal["handset"]
    number: str = Field(pattern=r"^\+[0-9]{6,15}$")
    """E.164."""
    kind = SmsNetworkComponent
    shares = True


class SmsDiaryActor(BoundActor):
    """A local officer's diary, as an adviser's screen has it."""

    role: Literal["sms_diary"]
    kind = SmsDiaryComponent


class TelephoneActor(BoundActor):
    """Whoever uses a telephone of the enterprise switch, or a Webex room device at its line."""

    role: Literal["telephone"]
    line: str | None = None
    kind = TelephoneComponent
    found_by = ("line",)


class EnterpriseSwitchActor(BoundActor):
    """Whoever runs an enterprise switch, of the force's or of a carrier's: of a real one a tester is asked."""

    role: Literal["enterprise_switch"]
    kind = EnterpriseSwitchComponent


class WebexActor(BoundActor):
    """What people do in Webex beside calling."""

    role: Literal["webex"]
    kind = WebexComponent


class CrmActor(BoundActor):
    """The CRM, as advisers use it and as its auditor looks at it."""

    role: Literal["crm"]
    kind = CrmComponent


Actor = Annotated[
    EmergencyCaller
    | EmergencyOperatorActor
    | ConsoleActor
    | RadioTerminalActor
    | CommandControlActor
    | EmergencyNetworkActor
    | SupervisorActor
    | RadioNetworkActor
    | RoipRadioActor
    | RoipGatewayActor
    | TrunkCallerActor
    | CallLoadActor
    | ScriptedPhoneActor
    | HandsetActor
    | SmsDiaryActor
    | CrmActor
    | TelephoneActor
    | EnterpriseSwitchActor
    | WebexActor,
    Field(discriminator="role"),
]
ACTORS: dict[str, type[Any]] = {
    each.model_fields["role"].annotation.__args__[0]: each  # type: ignore[union-attr]
    for each in (
        EmergencyCaller,
        EmergencyOperatorActor,
        ConsoleActor,
        RadioTerminalActor,
        CommandControlActor,
        EmergencyNetworkActor,
        SupervisorActor,
        RadioNetworkActor,
        RoipRadioActor,
        RoipGatewayActor,
        TrunkCallerActor,
        CallLoadActor,
        ScriptedPhoneActor,
        HandsetActor,
        SmsDiaryActor,
        CrmActor,
        TelephoneActor,
        EnterpriseSwitchActor,
        WebexActor,
    )
}
"""Roles, and what an actor of each is."""
