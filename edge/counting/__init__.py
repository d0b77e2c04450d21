"""Decides which vehicles crossed a gate, in pure logic without I/O: from tracks to crossings and events."""
