"""What a run leaves: captures, transcripts, ladders, audio, attachments."""
