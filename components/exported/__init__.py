"""The served graph: what the exported model's signatures take, read and answer.

`module` is what is saved: variables, look-up tables and `signatures`, the list of all signatures
with what each takes. `inputs` makes a signature of named, typed inputs; `person` and `wishes` are
the groups of them that many signatures share. `served` holds what all of them read: the network of
`components.model`, the `catalogue`, the `stored` users. `resolve` turns a person into what the
network reads. The answers are in `lists`, `groups`, `candidates`, `explanation` and `lookups`, and,
for the gates, in `evaluation`.
"""
