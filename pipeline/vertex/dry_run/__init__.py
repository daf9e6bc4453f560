"""The compiled job on this machine: its commands, in an environment like the image's."""
