"""What tests share: services, command lines, receivers, and ways of making events and releases."""
