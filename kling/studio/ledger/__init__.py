"""Where jobs are recorded."""
