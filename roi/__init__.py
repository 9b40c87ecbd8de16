"""Kill, fix or scale: measured business cases for AI pilots."""
