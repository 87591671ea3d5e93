"""Storey 1, the language: the 1EdTech OneRoster standard as data, its bindings and its query language.
Standard library only.
"""
