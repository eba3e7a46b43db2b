"""Studies: experiments that fill the tables and pictures of docs/. Each is a command and says what it writes."""
