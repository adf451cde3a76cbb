"""Services that answer on the loopback interface as the real ones do, for tests and the demo."""
