"""The composition root: settings in, a running hub out; and the command line."""
