"""Call records as Cisco Unified CM writes them: CDR and CMR flat files, read, written, held against what was seen."""
