"""Screening of new pictures: re-uploads of removed ones, and an external matching service."""
