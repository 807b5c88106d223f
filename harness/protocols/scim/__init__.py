"""SCIM 2.0 (RFC 7643, RFC 7644): attributes, filters, patches and what of a resource is told; sans-I/O."""

from harness.protocols.scim.filters import Filter, parse_filter
from harness.protocols.scim.layout import Attribute, Layout
from harness.protocols.scim.patch import Operation, patched

__all__ = ["Attribute", "Filter", "Layout", "Operation", "parse_filter", "patched"]
