"""A message between SMPP 3.4's fields and a text message's content: data coding, header, parts in SAR parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from harness.errors import SmppError, SmsError
from harness.protocols.gsm import user_data
from harness.protocols.gsm.address import Address, Ton
from harness.protocols.gsm.coding import Alphabet, alphabet_of
from harness.protocols.gsm.user_data import Part, UserData
from harness.protocols.smpp.codes import EsmClass, Tag
from harness.protocols.smpp.pdu import MAX_SHORT, Pdu, Tlv, Value

_CODECS: Final = {0x01: "ascii", 0x03: "latin-1", 0x05: "shift_jis", 0x06: "iso8859_5", 0x07: "iso8859_8"}
"""Schemes of SMPP (section 5.2.19) that a handset gets in UCS-2."""
_UCS2: Final = 0x08
_OCTETS: Final = frozenset({0x02, 0x04})


def read(unit: Pdu) -> UserData:
    """What a submit_sm, deliver_sm or data_sm says. Raises SmppError."""
    octets, coding = unit.message, unit.number("data_coding")
    elements: tuple[user_data.Element, ...] = ()
    try:
        if unit.number("esm_class") & EsmClass.HEADER:
            elements, end = user_data.read_header(octets)
            octets = octets[end:]
        elif (part := _sar(unit)) is not None:
            elements = (part.element(),)
    except SmsError as error:
        raise SmppError(str(error)) from None
    if coding in _CODECS:
        try:
            text = octets.decode(_CODECS[coding])
        except ValueError as error:
            raise SmppError(f"data_coding {coding}: {error}") from None
        return UserData(text, dcs=_UCS2, elements=elements)
    if coding in _OCTETS:
        return UserData(data=octets, dcs=0x04, elements=elements)
    if coding <= 0x0F and coding not in (0, _UCS2):
        raise SmppError(f"data_coding {coding} is not taken")
    if alphabet_of(coding) is Alphabet.UCS2 and len(octets) % 2:
        raise SmppError(f"UCS-2 of {len(octets)} octets: a whole number of pairs was due")
    return user_data.of_body(octets, coding, elements)


def _sar(unit: Pdu) -> Part | None:
    reference, total, number = (
        unit.tlv(tag) for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    )
    if reference is None or total is None or number is None:
        return None
    shared = int.from_bytes(reference, "big")
    return Part(shared, total[0], number[0], wide=shared > 0xFF)


def write(content: UserData) -> tuple[dict[str, Value], tuple[Tlv, ...]]:
    """The fields and optional parameters that say it. Raises SmsError."""
    octets = content.header() + content.body()
    fields: dict[str, Value] = {"data_coding": content.dcs}
    if content.elements:
        fields["esm_class"] = int(EsmClass.HEADER)
    if len(octets) > MAX_SHORT:
        return fields, ((int(Tag.MESSAGE_PAYLOAD), octets),)
    return fields | {"short_message": octets}, ()


def address(unit: Pdu, which: str) -> Address:
    """The address ``source`` or ``dest`` of a unit. Raises SmppError for one that a text message can't have."""
    prefix, name = ("source_addr", "source_addr") if which == "source" else ("dest_addr", "destination_addr")
    ton, npi, text = unit.number(f"{prefix}_ton"), unit.number(f"{prefix}_npi"), unit.text(name)
    found = Address(text.removeprefix("+") if ton != Ton.NAME else text, ton, npi)
    if text.startswith("+") and ton == Ton.UNKNOWN:
        found = replace(found, ton=int(Ton.INTERNATIONAL))
    try:
        found.write()
    except SmsError as error:
        raise SmppError(f"{name}: {error}") from None
    return found


def address_fields(party: Address, which: str) -> dict[str, Value]:
    """The fields of an address ``source`` or ``dest``."""
    prefix, name = ("source_addr", "source_addr") if which == "source" else ("dest_addr", "destination_addr")
    return {f"{prefix}_ton": party.ton, f"{prefix}_npi": party.npi, name: party.digits}
