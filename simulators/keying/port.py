"""The equipment's side of a serial port whose lines are all that matters: what pyserial's PortManager drives."""

from __future__ import annotations

from collections.abc import Callable


class SimulatedPort:
    """A port with the attributes of `serial.Serial` that `serial.rfc2217.PortManager` uses."""

    def __init__(self, moved: Callable[[], None]) -> None:
        self._moved = moved
        self._rts = self._dtr = False
        self.taken = True
        """Whether an order changes what the port says of its outputs; False: it is let go of."""
        self.carried = True
        """Whether the outputs themselves move; False: nothing that is wired to them does."""
        self.cd = self.ri = False
        self.baudrate, self.bytesize, self.parity, self.stopbits = 9_600, 8, "N", 1
        self.xonxoff = self.rtscts = self.dsrdtr = False
        self.break_condition = False

    @property
    def rts(self) -> bool:
        return self._rts

    @rts.setter
    def rts(self, on: bool) -> None:
        self._rts = on if self.taken else self._rts
        self._moved()

    @property
    def dtr(self) -> bool:
        return self._dtr

    @dtr.setter
    def dtr(self, on: bool) -> None:
        self._dtr = on if self.taken else self._dtr
        self._moved()

    @property
    def cts(self) -> bool:
        """As a loop-back plug has it."""
        return self._rts and self.carried

    @property
    def dsr(self) -> bool:
        """As a loop-back plug has it."""
        return self._dtr and self.carried

    def reset_input_buffer(self) -> None:
        """There is no data to let go of."""

    def reset_output_buffer(self) -> None:
        """There is no data to let go of."""
