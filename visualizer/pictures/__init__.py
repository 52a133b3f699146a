"""Where a show's pictures come from while it runs: a camera, and a folder that is watched."""
