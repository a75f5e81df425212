"""Sources: readers of what users bring, pictures and data of all kinds."""
