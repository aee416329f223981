"""The page that plays two to four clips next to each other, in step."""
