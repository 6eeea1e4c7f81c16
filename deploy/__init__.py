"""How the system is deployed: images, Prometheus, and the embedded stack."""
