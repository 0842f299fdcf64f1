"""Names that are used from outside: by Textual, pytest, or the contract of later issues."""
