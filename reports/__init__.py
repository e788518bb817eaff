"""Evaluation reports for people: the figures of `pipeline.figures` in words, tables and charts."""
