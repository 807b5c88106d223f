"""The equipment's side of a serial port whose lines are all that matters: what pyserial's PortManager drives."""

from __future__ import annotations

from collections.abc import Callable


class SimulatedPort:
    """A port with the attributes of `serial.Serial` that `serial.rfc2217.PortManager` uses."""

    def __init__(self, moved: Callable[[], None]) -> None:
        self._moved = moved
        self._rts = self._dtr = False
        self.carried = True
        """Whether outputs move at all; False: orders are taken and nothing happens."""
        self.cd = self.ri = False
        self.baudrate, self.bytesize, self.parity, self.stopbits = 9_600, 8, "N", 1
        self.xonxoff = self.rtscts = self.dsrdtr = False
        self.break_condition = False

    @property
    def rts(self) -> bool:
        return self._rts

    @rts.setter
    def rts(self, on: bool) -> None:
        if self.carried:
            self._rts = on
            self._moved()

    @property
    def dtr(self) -> bool:
        return self._dtr

    @dtr.setter
    def dtr(self, on: bool) -> None:
        if self.carried:
            self._dtr = on
            self._moved()

    @property
    def cts(self) -> bool:
        """As a loop-back plug has it."""
        return self._rts

    @property
    def dsr(self) -> bool:
        """As a loop-back plug has it."""
        return self._dtr

    def reset_input_buffer(self) -> None:
        """There is no data to let go of."""

    def reset_output_buffer(self) -> None:
        """There is no data to let go of."""
