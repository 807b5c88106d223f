"""TETRA payloads and identities: TSI/ISSI/GSSI, SDS with its transport layer, pre-coded status, LIP short reports."""
