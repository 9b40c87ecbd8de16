"""What people read: sentences, charts, sections of the business case, pages and the terminal."""
