"""E-mail over SMTP: a letter as text and as HTML."""
