"""The served graph: what the exported model's signatures take, read and answer."""
