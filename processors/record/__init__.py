"""What is known of a child: messages decoded into events, kept as a set, and laid out as rows."""
