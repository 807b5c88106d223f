"""How the public's messages are handed to a Contact Us system: our own interface, or a vendor's by an adapter."""

from harness.endpoints.contact_us.adapter import ENTRY_POINTS, Adapter, Address, Message, Receipt, load_adapter
from harness.endpoints.contact_us.ours import FormPage, Ours

__all__ = ["ENTRY_POINTS", "Adapter", "Address", "FormPage", "Message", "Ours", "Receipt", "load_adapter"]
