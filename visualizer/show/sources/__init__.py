"""The sources of a show, one file each: an input, songs, and the guard around any of them."""
