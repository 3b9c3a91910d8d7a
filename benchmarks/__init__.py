"""What watching costs: famcore beside other watchers, side by side in one run.

Each round gives one watcher, in a fresh process, one workload, which another process carries out on
tmpfs. Counted is the CPU time of the watcher's process, its threads' and the kernel's on its
behalf, from the go signal to the last event that it told. A watcher that has not told every name
by a deadline, or rests before, is given up. What it lost is in the table, and so are the kernel's
records that it never read, for which it may have made up by looking at the disk: speed with losses
isn't speed, and medians are of the rounds without, if there are any.

Other measures have tables of their own: how late changes are told, what a tree takes to be watched
and in memory, what waiting costs, what an import does. The last table says which targets are met.
"""
