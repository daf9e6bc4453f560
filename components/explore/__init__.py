"""What the data hold, counted over the Examples' shards, and the page that shows it."""
