"""A simulated Contact Us system: a form, a REST intake and a mailbox, in front of CRM and command and control."""
