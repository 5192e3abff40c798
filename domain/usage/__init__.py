"""Prices, paid calls and budgets."""
