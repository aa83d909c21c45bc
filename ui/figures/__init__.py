"""NumPy in, pictures and chart specifications out. Pure functions: no Streamlit, no computation."""
