"""The supervisor of a show, its hot standby, the line between them, and the state a show resumes from."""
