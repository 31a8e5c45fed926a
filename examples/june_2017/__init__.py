"""A synthetic history whose scorecard is the one that Kent published for June 2017.

`python -m examples.june_2017 ROWS` makes it; ROWS is the published file of commissioned services.
What is printed of April to June is fitted block by block with exact models of whole numbers
(HiGHS, as for October 2015), and the numbers become events: `casework` (family support and NEET
support), `carers`, `centres`, `hubs`, `referrals` (EH21). A printed cell that has no whole numbers
beside the cells before it is left out, and listed with its reason (`reasons`).
"""
