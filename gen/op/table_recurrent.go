package op

// recurrentTable has the operations that carry a state of fixed size from one token to the next.
var recurrentTable = []Row{}
