"""Tables of the pages, made from records/."""
