"""Tests of the house itself: its imports, its names, its documents, its locks."""
