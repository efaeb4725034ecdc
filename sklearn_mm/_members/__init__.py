"""One modality's model, fitted on the rows where its columns are present."""
