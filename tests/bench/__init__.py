"""Measurements against the plain tools; ``nox -s bench`` runs them."""
