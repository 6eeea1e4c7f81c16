"""What outside programs read of the contract: JSON Schemas of events and the AsyncAPI document."""

from contracts.async_api import asyncapi
from contracts.event_schemas import REJECTED_EVENT, SCHEMA_TYPES, event_schema

__all__ = ["REJECTED_EVENT", "SCHEMA_TYPES", "asyncapi", "event_schema"]
