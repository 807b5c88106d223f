"""Access time by NIST's definition (NISTIR 8275, 8328): the curve, its fit, a plan of presses, published tables."""
