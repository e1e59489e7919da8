"""The formulas of the book, computed: language, values, checks, pages, reports."""
