"""Stores: counted admissions, cached bytes and nudges, in this process's memory or in Redis, behind one interface."""
