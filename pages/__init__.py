"""What people see. Streamlit is imported here and in app.py only.

main              the entry script: the bar and the banners around every page
compose           write a prompt, see its price, order it, and watch it become a video
history           every job, as rows under their days
gallery           every finished clip, as a picture on a wall
spend             what a month or any range has cost
clip_collections  clips that people have put together
sharing           the links to clips that there are
compare           two to four clips next to each other, in step
job               all of one job
admin             for admins: people, budgets, what was done, how the studio is
_ui/              what the pages share
"""
