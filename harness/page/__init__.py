"""The champions' page: scenarios played by people in a browser, and the record of their skills."""
