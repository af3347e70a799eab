class Trouble(Exception):
    """Expected trouble around the service itself, told to a person in one plain sentence."""
