"""Code of others: examine backpropagation that somebody else wrote, and say which line of it is wrong, and how.

From the file to the verdict: `loading` runs it as far as it goes, in the process of `worker`. `objects`, `functions`, `loops` and
`scripts` find ways to call what looks like a backward pass, each an `episode`; `choosing` tries them. `judging` moves every number that forward
depends on (`differences`) and holds the claims of backward against the truth (`claims`, `matching`). `examining` says what may be called
right, wrong or open. `sites` recognizes what forward is made of, `explanations` puts the faults of the catalogue (`faults`) into it, and
`locate` and `parting` find the line. `engines`, `elementwise`, `built` and `update_rules` judge what has a form of its own.
"""
