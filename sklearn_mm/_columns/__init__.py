"""Columns of cells: which are missing, how they are read, base classes of loaders."""
