"""Data: text, and random changes of images; tables and images themselves come from scikit-learn."""
