"""Editing a document by operations: pure, total, in whole frames; what was meant is kept wherever it still says so."""
