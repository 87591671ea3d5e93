"""Preparation: steps that change a delivery between staging and judging, as data, and how they are applied."""
