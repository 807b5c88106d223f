"""The stages of acceptance, as plans, testbeds and dossiers name them."""

from __future__ import annotations

from typing import Literal

Stage = Literal["FAT", "SAT", "E2E", "UAT", "OAT", "ITHC", "pilot"]
