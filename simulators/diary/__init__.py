"""The SMS Diary: appointments of the public with local officers, texts that tell of them, and what people answer."""
