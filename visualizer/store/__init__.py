"""Edge room: what rests on disk. Presets and settings (YAML), pictures, baked dream frames, and the finished video."""
