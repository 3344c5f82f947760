"""Delivery, from the queue's message to Graph and back."""
