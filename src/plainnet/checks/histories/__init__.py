"""Histories: what a training wrote down of itself, in whatever form its program has, read as curves.

From the file to the curves: `forms` recognizes by content how a file is written and gives its `table`s, by
`delimited`, `json_forms`, `log_lines` (with a `line_plans` for lines of one shape) or `event_files`; `spreading` gives
every figure a column of its own; `names` and `measures` know what a column holds by its name, `understanding` chooses;
`runs` finds where one training ends and the next begins; `refusing` knows what is no history; `condensing` makes epochs
of steps; `reading` does all of it and says what was understood.
"""
