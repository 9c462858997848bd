"""Hunting for differences: the same random sequence of calls on two targets, and what they answer otherwise.

Part played:     the machine that looks where no case does. A case says what Windows does; a hunt only asks whether two
                 implementations do the same.
Lives here:      sequences    a sequence as data: steps, names, their form in files
                 vocabulary   the calls a sequence is made of, with the arguments that make sense
                 sketch       what a sequence has made so far, without running it: names and roles
                 world        one sequence on one target: names become handles, answers become outcomes
                 comparing    the first difference of two outcomes
                 reasons      differences that are known, and why they are there
                 generator    random sequences (the only part that needs hypothesis, with hunter)
                 corpus       interesting sequences with a referee's answers; replayed by ``make test``
                 hunter       the command: batches, seeds, worker processes, the list of what was found
Lives elsewhere: targets and their calls (``ws: Target``), recorded answers of cases (recorded).

    winsock2emu conformance hunt                                  # emulator and wine
    winsock2emu conformance hunt --target emulator --target api   # must never differ
    winsock2emu conformance hunt --seed 7 --sequences 100         # the same sequences each time
"""
