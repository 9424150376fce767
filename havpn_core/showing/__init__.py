"""The status as people and monitoring read it: from the document to lines; no clock, no file."""
