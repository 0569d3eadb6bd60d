"""A session's backend at work: started late, told what was decided, closed when it is of no use any more."""
