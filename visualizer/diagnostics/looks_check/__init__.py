"""`visualizer looks check`: reads, translates, compiles and draws every look of a folder, each with a deadline."""
