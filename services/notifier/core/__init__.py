"""What the notifier decides, as pure functions of values: no broker, store, log or clock."""
