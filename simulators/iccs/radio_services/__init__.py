"""What a dispatcher does to the radio network: patches, regrouping, ambience, disabling, calls of two, unit states."""
