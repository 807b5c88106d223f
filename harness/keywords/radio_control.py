"""Keywords of what dispatchers do to the radio network: patches, regrouping, ambience, disabling, radio calls."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from robot.api.deco import keyword

from harness.drivers.console import Console
from harness.drivers.made_to_fail import SiteLinks
from harness.errors import DriverError
from harness.keywords.base import Topic
from harness.measure.words import how_like
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.testbed.clips import read_clip
from harness.testbed.conversation import LEAST_CORRELATION, converse

T = TypeVar("T")


class RadioControlKeywords(Topic):
    """What dispatchers do to the radio network, and whoever runs it."""

    def _dispatch(self, console: str, act: Callable[[Console], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.console(console))

        return self.session.run(do())

    def _link(self, act: Callable[[SiteLinks], Coroutine[Any, Any, None]]) -> None:
        async def do() -> None:
            await act(await self.session.bench.site_links())

        self.session.run(do())

    # Patches

    @keyword
    def dispatcher_patches(self, console: str, one: str, two: str) -> str:
        """Patches two talkgroups; returns the patch's id. Fails with the ICCS's reason where it refuses.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``one``     | A talkgroup. |
        | ``two``     | The talkgroup that it is joined with. |

        Example:
        | ${patch}    `Dispatcher Patches`    govan-31    GD-OPS-1    GD-OPS-2 |
        """
        return self._dispatch(console, lambda at: at.patch(one, two))

    @keyword
    def dispatcher_ends_patch(self, console: str, patch: str) -> None:
        """Takes a patch apart.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``patch``   | The patch's id. |

        Example:
        | `Dispatcher Ends Patch`    govan-31    ${patch} |
        """
        self._dispatch(console, lambda at: at.unpatch(patch))

    @keyword
    def patch_is_refused(self, console: str, one: str, two: str) -> str:
        """Asks for a patch that must be refused; returns the reason that the console is given.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``one``     | A talkgroup. |
        | ``two``     | The talkgroup that it is joined with. |

        Example:
        | ${reason}    `Patch Is Refused`    govan-31    GD-OPS-1    GD-OPS-2 |
        """
        try:
            patch = self.dispatcher_patches(console, one, two)
        except DriverError as error:
            return str(error)
        raise AssertionError(f"the patch of {one} with {two} was to be refused, and {patch} was made")

    # Groups over the air

    @keyword
    def dispatcher_regroups(self, console: str, group: str, *terminals: str) -> int:
        """Gives a group to terminals over the air (DGNA); returns its GSSI. The console shows ``dgna.unit`` of each.

        | =Argument= | =Description= |
        | ``console``   | The console's name in the testbed file. |
        | ``group``     | A talkgroup's name, or a new group's. |
        | ``terminals`` | The terminals, by their names in the testbed file. |

        Example:
        | ${gssi}    `Dispatcher Regroups`    govan-31    Operation Heron    unit-01    unit-02 |
        """
        issis = [self.session.bench.issi(name) for name in terminals]
        return self._dispatch(console, lambda at: at.regroup(group, issis))

    @keyword
    def dispatcher_takes_group(self, console: str, gssi: int) -> None:
        """Takes a group from all terminals that were given it.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``gssi``    | What `Dispatcher Regroups` returned. |

        Example:
        | `Dispatcher Takes Group`    govan-31    ${gssi} |
        """
        self._dispatch(console, lambda at: at.ungroup(gssi))

    @keyword
    def attached_units(self, console: str, gssi: int) -> int:
        """Returns how many terminals have attached to a group, as the console shows it.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``gssi``    | What `Dispatcher Regroups` returned. |

        Example:
        | ${count}    `Attached Units`    govan-31    ${gssi} |
        """
        return int(self._dispatch(console, lambda at: at.group(gssi))["attached"])

    # Terminals

    @keyword
    def dispatcher_listens_to(self, console: str, terminal: str, password: str | None = None) -> None:
        """Opens a terminal's microphone silently (ambience listening).

        | =Argument= | =Description= |
        | ``console``  | The console's name in the testbed file. |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``password`` | What the operator gives; left out: ``ambience_password`` of the console in the testbed file. |

        Example:
        | `Dispatcher Listens To`    govan-31    officer |
        """
        given = self.session.bench.ambience_password(console) if password is None else password
        radio = self.session.bench.console_id(terminal)
        self._dispatch(console, lambda at: at.begin_ambience(radio, given))

    @keyword
    def dispatcher_stops_listening_to(self, console: str, terminal: str) -> None:
        """Closes that microphone.

        | =Argument= | =Description= |
        | ``console``  | The console's name in the testbed file. |
        | ``terminal`` | The terminal's name in the testbed file. |

        Example:
        | `Dispatcher Stops Listening To`    govan-31    officer |
        """
        radio = self.session.bench.console_id(terminal)
        self._dispatch(console, lambda at: at.end_ambience(radio))

    @keyword
    def listening_is_refused(self, console: str, terminal: str, password: str | None = None) -> str:
        """Asks for ambience listening that must be refused, and logged; returns the reason that the console is given.

        | =Argument= | =Description= |
        | ``console``  | The console's name in the testbed file. |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``password`` | What the operator gives; left out: ``ambience_password`` of the console in the testbed file. |

        Example:
        | `Listening Is Refused`    govan-32    officer |
        """
        try:
            self.dispatcher_listens_to(console, terminal, password)
        except DriverError as error:
            reason = str(error)
        else:
            raise AssertionError(f"{console} was to be refused listening to {terminal}, and listens")
        radio = str(self.session.bench.console_id(terminal))

        async def logged() -> list[dict[str, Any]]:
            supervisor = await self.session.bench.supervisor()
            return await supervisor.audit(act="ambience", outcome="refused", target=radio)

        if not any(entry["reason"] in reason for entry in self.session.run(logged())):
            raise AssertionError(f"the refusal is not in the audit record: {reason}")
        return reason

    @keyword
    def surroundings_are_heard_at(self, terminal: str, console: str, clip: str) -> float:
        """Speaks beside a terminal whose key is not pressed, and checks that the headset at a console gives it.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``console``  | The console's name in the testbed file. |
        | ``clip``     | A speech file of ``fixtures/audio`` without its ending, or a path (8 kHz, mono). |

        Returns how like what was said what was heard is, 0 to 1.

        Example:
        | `Surroundings Are Heard At`    officer    govan-31    officer-reply |
        """

        async def speak() -> float:
            bench = self.session.bench
            mouth, ear = await bench.terminal(terminal), await bench.console(console)
            return (await converse(mouth.jack, ear.headset, read_clip(clip))).correlation

        return self.session.run(speak())

    @keyword
    def dispatcher_disables(self, console: str, terminal: str) -> None:
        """Takes a terminal off the network for a time; the console shows ``terminal.disabled``.

        | =Argument= | =Description= |
        | ``console``  | The console's name in the testbed file. |
        | ``terminal`` | The terminal's name in the testbed file. |

        Example:
        | `Dispatcher Disables`    govan-31    unit-01 |
        """
        issi = self.session.bench.issi(terminal)
        self._dispatch(console, lambda at: at.disable(issi))

    @keyword
    def dispatcher_enables(self, console: str, terminal: str) -> None:
        """Lets a disabled terminal on again; the console shows ``terminal.enabled``.

        | =Argument= | =Description= |
        | ``console``  | The console's name in the testbed file. |
        | ``terminal`` | The terminal's name in the testbed file. |

        Example:
        | `Dispatcher Enables`    govan-31    unit-01 |
        """
        issi = self.session.bench.issi(terminal)
        self._dispatch(console, lambda at: at.enable(issi))

    # Calls with one radio, units

    @keyword
    def officer_answers_call(self, terminal: str, within: timedelta = timedelta(seconds=5)) -> int:
        """Takes the call of two that rings at a terminal, or the next one; returns the caller's ISSI.

        | =Argument= | =Description= |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``within``   | The most that its ringing may take to come. |

        Example:
        | `Officer Answers Call`    officer |
        """

        async def answer() -> int:
            radio = await self.session.bench.terminal(terminal)
            return await radio.answer(within=within.total_seconds())

        return self.session.run(answer())

    @keyword
    def dispatcher_calls_radio(self, console: str, terminal: str) -> str:
        """Calls one radio; returns the call's id. The console shows ``radio_call.connected`` when it is up.

        | =Argument= | =Description= |
        | ``console``  | The console's name in the testbed file. |
        | ``terminal`` | The terminal's name in the testbed file. |

        Example:
        | `Dispatcher Calls Radio`    govan-31    officer |
        """
        radio = self.session.bench.console_id(terminal)
        return self._dispatch(console, lambda at: at.call_radio(radio))

    @keyword
    def dispatcher_clears_radio_call(self, console: str, within: timedelta = timedelta(seconds=2)) -> str:
        """Clears the call with one radio; returns its recording's id.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``within``  | The most that it may take until the console shows that it has ended. |

        Example:
        | ${recording}    `Dispatcher Clears Radio Call`    govan-31 |
        """

        async def clear(at: Console) -> str:
            after = self.session.bench.journal.position
            await at.clear_radio_call()
            ended = await at.expect("radio_call.ended", within=within.total_seconds(), after=after)
            return str(ended.data["recording"])

        return self._dispatch(console, clear)

    @keyword
    def recording_has(self, console: str, recording: str, speaker: str, clip: str) -> float:
        """Checks that a recording of the ICCS has what somebody said; returns how like it is, 0 to 1.

        | =Argument= | =Description= |
        | ``console``   | A console of that ICCS, by its name in the testbed file. |
        | ``recording`` | The recording's id. |
        | ``speaker``   | ``radio`` or ``position``. |
        | ``clip``      | What was said: a speech file of ``fixtures/audio`` without its ending, or a path. |

        Example:
        | `Recording Has`    govan-31    ${recording}    radio    officer-reply |
        """
        channels = self._dispatch(console, lambda at: at.recording(recording))
        if speaker not in channels:
            raise AssertionError(f"recording {recording} has nobody {speaker!r}; it has {', '.join(channels)}")
        likeness = how_like(read_clip(clip), channels[speaker], rate=SAMPLE_RATE)
        if likeness < LEAST_CORRELATION:
            raise AssertionError(
                f"recording {recording} does not have what the {speaker} said: correlation {likeness:.2f}, at least "
                f"{LEAST_CORRELATION} is due"
            )
        return likeness

    @keyword
    def unit_status(self, console: str, terminal: str) -> int | None:
        """Returns the number of the status that a console shows of a unit.

        | =Argument= | =Description= |
        | ``console``  | The console's name in the testbed file. |
        | ``terminal`` | The unit's terminal, by its name in the testbed file. |

        Example:
        | ${status}    `Unit Status`    govan-31    officer |
        """
        unit = self.session.bench.console_id(terminal)
        status = self._dispatch(console, lambda at: at.unit(unit))["status"]
        return None if status is None else int(status)

    # The network

    @keyword
    def radio_site_is_cut_off(self, site: str) -> None:
        """Cuts a site's link to the rest of the radio network; terminals show ``cell.shown`` in fallback.

        A real network's is cut by a tester.

        | =Argument= | =Description= |
        | ``site`` | A site of the radio network in the testbed file. |

        Example:
        | `Radio Site Is Cut Off`    motherwell |
        """
        self._link(lambda links: links.cut_site(site))

    @keyword
    def radio_site_is_linked_again(self, site: str) -> None:
        """Restores that link.

        | =Argument= | =Description= |
        | ``site`` | A site of the radio network in the testbed file. |

        Example:
        | `Radio Site Is Linked Again`    motherwell |
        """
        self._link(lambda links: links.restore_site(site))
