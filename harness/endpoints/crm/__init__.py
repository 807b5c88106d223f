"""Ways to a CRM: what any CRM can be asked, our own interface's client, and how a vendor's plugs in."""

from harness.endpoints.crm.adapter import CrmAdapter, load_adapter
from harness.endpoints.crm.client import CrmClient
from harness.endpoints.crm.shapes import (
    Attachment,
    Contact,
    FoundBy,
    Marker,
    Person,
    RecordMade,
    RecordTold,
    Seen,
    TaskTold,
    ThriveAssessment,
)

__all__ = [
    "Attachment",
    "Contact",
    "CrmAdapter",
    "CrmClient",
    "FoundBy",
    "Marker",
    "Person",
    "RecordMade",
    "RecordTold",
    "Seen",
    "TaskTold",
    "ThriveAssessment",
    "load_adapter",
]
