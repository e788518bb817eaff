"""Who is named in free text, and where: numbers, addresses, plates, names. Each finder is pure and linear.

`redact` puts the name of its kind in the place of each; `span` is what the finders answer.
"""
