"""Reads topics of sources that speak Kafka: events in edge form, or change records of Debezium."""
