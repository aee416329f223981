"""Who uses the studio, how they proved it, and what each may do. Nothing here knows of HTTP or pages.

roles           the table of what each role may do; `may`, `check`
people          accounts and people whom another sign-in lets in
person          one of them as a value; names and roles that can be used
person_rows     what has to hold in the same transaction as a change of people
passwords       the rules for passwords, their hashes, and the threads that make them
tries           pauses between tries of passwords
sessions        tokens of browsers, and whose they are
session_info    what is known of one
invitations     links with which a person sets a password
names           names of the log that belong to no account
changes         how changes of all these are written, and noticed by other processes
watch           the thread that notices them
errors          what can be wrong, in words for people
ways, claims    which sign-ins there are, and what they say of somebody
"""
