"""Where pictures go: video files and their encoders, screenshots."""
