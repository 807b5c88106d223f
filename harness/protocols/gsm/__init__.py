"""Text messages and the modems that carry them: 3GPP TS 23.038, 23.040, 27.005 and 27.007, sans-I/O."""
