"""The radio side of consoles beside push-to-talk: emergencies, alarms, several groups at once, speakers, folders."""
