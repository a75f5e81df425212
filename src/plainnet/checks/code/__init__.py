"""The doctor: examine backpropagation that somebody else wrote, name the fault, and find its line.

From the file to the verdict: `loading` runs the file as far as it can, in the process of `worker`. `objects`, `functions`, `loops` and
`scripts` find ways to call what looks like a backward pass. Each way is an `episode`; `choosing` tries them. `judging` changes every number
that forward depends on (`differences`), and compares the gradients that backward claims with the true ones (`claims`, `matching`).
`examining` decides what may be called right, wrong or undecidable. `sites` recognizes the layers of forward, `explanations` puts the faults
of the catalogue (`faults`) into them, and `locate` and `parting` find the line. `engines`, `elementwise`, `built` and `update_rules` judge
code in other forms.
"""
