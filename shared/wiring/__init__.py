"""Put the app together: settings become adapters, adapters become use cases; the only room that knows every other."""
