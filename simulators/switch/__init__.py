"""The enterprise switch simulator, which stands for a call manager: registrar, features, trunks, call records."""
