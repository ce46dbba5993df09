"""The command line: declares options, builds requests, calls the library, shows results."""
