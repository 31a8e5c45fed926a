"""A synthetic history whose scorecard is the one that Kent published for October 2015.

`python -m examples.october_2015` makes it, in stages; each is an exact model of whole numbers
(`milp`, HiGHS through SciPy) or turns the numbers of the models into dated cases:

1. `notified`, `population`: notifications and cases outside the units by district and age band;
   populations that the printed rates imply.
2. `outcomes`, `durations`: how unit cases closed in October and September, within 20 weeks or
   beyond, and how long they had lasted. `closed_cases` gives them dates; `earlier_closures` adds
   those of July and August.
3. `averages`, `stock`: how many contacts and plans lie behind the printed averages, and which open
   unit cases they belong to, kept from September or received in October. `open_cases` gives them
   dates, `pairing` decides which contact and plan are one case's.
4. `other_cases`, `allocation`: everything the printed notifications and caseload ask for besides,
   and the notifications of the months before September. `earlier_stock` brings what no figure of
   September and October counts to what is printed of July and August.
5. `events` writes CloudEvents; `report` evaluates them with the product's processors and writes
   down every printed cell they do not give. `given_up` says why there are any.

A printed figure is an exact interval (`printed`): one decimal, half up. The cells that no events
give together with the others are left out of the models and listed with their reasons; a miss
without a known reason is an error. The same seed gives the same bytes.
"""
