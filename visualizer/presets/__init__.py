"""A preset, from its folder to dream frames on disk: preset, image, cache, bake, loader."""
