"""The known modalities, and their detection in a table."""
