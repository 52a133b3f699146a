"""The journey: an endless zoom in which every dream begins inside the one before. Pure; time and chance are arguments."""
