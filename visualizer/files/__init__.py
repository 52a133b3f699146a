"""Files on disk: paths, YAML, output written whole, remembered choices, downloads, the log."""
