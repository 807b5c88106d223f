"""The console driver for a console in a browser: a file of selectors says where on the page everything is."""
