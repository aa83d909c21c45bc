"""Three short programs that use core without the dashboard."""
