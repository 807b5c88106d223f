"""TETRA PEI (ETSI EN 300 392-5): AT commands between a terminal equipment and a terminal, both sides, sans-I/O."""
