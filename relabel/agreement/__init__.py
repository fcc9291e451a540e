"""How far annotators agree, how long they take, and what the proposals did to both."""
