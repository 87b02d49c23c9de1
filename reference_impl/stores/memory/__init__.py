"""The stores in this process's memory: for one worker."""
