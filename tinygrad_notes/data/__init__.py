"""Data sets. Text only so far; tables and images come from scikit-learn."""
