"""The bar, the list and the export of History and Gallery.

bar        search, filters, how many jobs are found and what they cost
address    the question in the address
filters    the table of filters
chips      the filters as chips
recent     what was looked for last
rows       the rows of History
days       which of them belong to which day
row_facts  what the script is told of one
reasons    its second line: why there is no clip, or what was ordered
columns    further columns, by choice
empty      what a list says when it has nothing to show
export     links to jobs as a file
"""
