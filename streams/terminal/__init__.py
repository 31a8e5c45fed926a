"""The command line: consoles, options, tables and the commands themselves."""
