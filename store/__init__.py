"""What is remembered: the SQLite database (one repository per subject) and, in `store.vault`, the secrets."""
