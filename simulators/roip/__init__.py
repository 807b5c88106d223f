"""The radio gateway simulator: radios that control rooms reach by ED-137, on the TETRA network or on their own."""
