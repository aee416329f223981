"""The sections of the admin page, one module each.

people    who may come in and what they may do; invitations
sessions  who is signed in, with which browser
budgets   what may be spent, and how far it is used
account   packs, slots in use, and both books
health    how the studio is
imports   takes in a file of jobs
audit     who did what and when
names     names of the log that belong to no account
asking    what the sections share: presses that are confirmed, forms, times
"""
