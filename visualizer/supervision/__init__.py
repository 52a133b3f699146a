"""Restarting a show that crashes: the supervisor, the hot standby, the socket between them and the show, and the state
that is resumed.
"""
