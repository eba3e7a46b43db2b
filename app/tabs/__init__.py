"""One file per tab: each lays out its tab and connects it."""
