"""Alerts for an Alertmanager of Prometheus, over its API v2."""
