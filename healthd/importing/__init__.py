"""Migration folders of other tools, brought over: one way of laying files out is one module here."""
