"""Writing: rows, and which of them each Example holds, go in; TFRecord shards come out."""
