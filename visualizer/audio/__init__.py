"""The sound edge: devices, capture, playback and decoding. Nothing heavy is imported until it is used."""
