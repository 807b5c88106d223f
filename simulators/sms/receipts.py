"""The deliver_sm that brings a client a text, or the receipt of one of its own (SMPP 3.4 section 4.6, appendix B)."""

from __future__ import annotations

from typing import Final

from harness.errors import SmsError
from harness.protocols.gsm.address import Address
from harness.protocols.location import gsm7
from harness.protocols.smpp import content as contents
from harness.protocols.smpp.codes import EsmClass, MessageState, Tag
from harness.protocols.smpp.pdu import Tlv, Value
from harness.protocols.smpp.receipt import Receipt
from simulators.sms.network import Text

GSM_NETWORK: Final = 3
"""network_error_code's network type (section 5.3.2.31)."""
_SHOWN_OF_STAMP: Final = slice(2, 12)


def fields_of(text: Text, *, optional: bool = True) -> tuple[dict[str, Value], tuple[Tlv, ...]]:
    """The fields and optional parameters of a text or a report. Raises SmsError for what can't be written.

    ``optional``: whether the client knows optional parameters.
    """
    fields, tlvs = _whole(text)
    if optional:
        return fields, tlvs
    if "short_message" not in fields:
        raise SmsError(f"text {text.id} is longer than a short_message")
    return fields, ()


def _whole(text: Text) -> tuple[dict[str, Value], tuple[Tlv, ...]]:
    parties = contents.address_fields(text.sender, "source") | contents.address_fields(Address.of(text.to), "dest")
    if text.about is None:
        said, tlvs = contents.write(text.content)
        return parties | said, (*_reference(text), *tlvs)
    about = text.about
    assert about.settled is not None, "a report is about what is settled"
    told = about.batch or about.id
    receipt = Receipt(
        told,
        about.state,
        about.taken.local()[_SHOWN_OF_STAMP],
        about.settled.local()[_SHOWN_OF_STAMP],
        f"{about.error:03d}",
        _first_words(about.content.text),
    )
    tlvs = (
        (int(Tag.RECEIPTED_MESSAGE_ID), told.encode() + b"\x00"),
        (int(Tag.MESSAGE_STATE), bytes((about.state,))),
        *_reference(about),
    )
    if about.state is not MessageState.DELIVERED:
        tlvs = (*tlvs, (int(Tag.NETWORK_ERROR_CODE), bytes((GSM_NETWORK,)) + about.error.to_bytes(2, "big")))
    said = {"esm_class": int(EsmClass.RECEIPT), "short_message": bytes(gsm7.to_codes(receipt.write()))}
    return parties | said, tlvs


def _reference(text: Text) -> tuple[Tlv, ...]:
    """The sender's own reference of a message, which a receipt of it has too (section 4.6.1)."""
    return () if text.user_reference is None else ((int(Tag.USER_MESSAGE_REFERENCE), text.user_reference),)


def _first_words(text: str) -> str:
    """What a receipt repeats of a text: what ASCII and the default alphabet write alike, as its form is ASCII."""
    return "".join(character if character.isalnum() and character.isascii() else " " for character in text[:20])
