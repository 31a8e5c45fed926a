"""What is behind figures: cases, people and sessions one by one, and a case from its beginning."""
