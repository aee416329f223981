"""What people see. Streamlit is imported here and in app.py only."""
