"""Helpers that know nothing of columns, modalities or estimators."""
