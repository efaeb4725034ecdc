"""The modalities that the package knows, and how a table's are detected."""
