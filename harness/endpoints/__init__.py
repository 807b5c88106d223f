"""Protocol plus transport: something that talks."""
