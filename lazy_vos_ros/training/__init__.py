"""How the compact model was made."""
