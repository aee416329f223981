"""What people say and decide about clips: stars, ratings, tags, notes, what is hidden or deleted."""
