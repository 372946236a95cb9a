"""Measuring: errors as the field defines them, the protocols of the public sets, and tables as papers print them."""
