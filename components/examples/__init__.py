"""Examples as every node reads them: where their files lie, how they are opened, what they hold."""
