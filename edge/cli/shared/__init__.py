"""What several commands use: options, access to the store, printed rows."""
