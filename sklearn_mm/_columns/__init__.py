"""A column of cells: which are missing, how they are read, what loaders share."""
