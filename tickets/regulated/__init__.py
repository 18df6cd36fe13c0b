"""The complaint grade: steps, days and letters that the law asks for."""
