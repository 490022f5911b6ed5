# agenix's rules: who can open which file. A fleet made from this template writes its own.
{ }
