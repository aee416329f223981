"""Who uses the studio, how they proved it, and what each may do. Nothing here knows of HTTP or pages."""
