"""Digests: by e-mail, with a workbook for leaders, or as JSON to a webhook."""
