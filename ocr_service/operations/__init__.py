"""What the people who run the service need: logs, checks of what it depends on, backups."""
