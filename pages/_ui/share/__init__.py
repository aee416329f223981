"""The page of a shared link: plain HTML, without a Streamlit session.

page     its HTML
address  its address
"""
