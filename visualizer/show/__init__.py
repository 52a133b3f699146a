"""Running a show: the one loop, its clocks, and one short file for each way of running it."""
