"""Which of two lines is the better one, and how often the role may move for that; pure."""
