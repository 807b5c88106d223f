"""What the ICCS tells workforce management: advisers' states and queues' figures by intervals, by REST and by file."""
