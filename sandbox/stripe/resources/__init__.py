"""What the API serves, one file a resource; the server imports every module found here."""
