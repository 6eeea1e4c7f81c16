"""Digests: by e-mail, with a PDF and a workbook for leaders, or as JSON to a webhook."""
