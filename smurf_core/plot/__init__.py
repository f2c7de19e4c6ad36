"""Pure functions from data to figures; no Streamlit."""
