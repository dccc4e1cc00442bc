"""For people who write SQL and notebooks: data frames, views, saved queries."""
