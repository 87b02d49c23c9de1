"""What `harness init` recognises in a document and in a few harmless answers, and the files that it writes of it."""
