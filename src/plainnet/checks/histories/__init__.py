"""Histories: read the recorded losses and accuracies of a training run, in the format of any program, as curves.

From the file to the curves: `forms` recognizes the format by the content and returns `table`s, with the help of
`delimited`, `json_forms`, `log_lines`, `number_lists` or `event_files`. Before, `languages` and `html_tables` turn the
text into plain English lines, and `rewriting` gives the lines of logs their usual form. `line_plans` says which number
of a line is which figure, and `line_runs` reads many lines of one shape at once. `spreading` gives every figure its own
column. `names` and `measures` find out from the name of a column what it holds, and `understanding` chooses among the
columns. `runs` finds where one training run ends and the next begins. `refusing` rejects files that are not histories.
`condensing` turns steps into epochs. `reading` does all of this and reports what it understood.
"""
