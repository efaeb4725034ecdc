"""Helpers that know nothing about columns, modalities or estimators."""
