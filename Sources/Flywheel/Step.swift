internal import Vocabulary

/// The decisions of one entry, as they are made.
struct Step {
    var context: EntryContext
    var decisions: [Decision] = []
    /// Transitions of model versions, in the order in which they happened; decided at the end of the entry.
    var transitions: [ModelTransition] = []

    init(context: EntryContext) { self.context = context }

    mutating func decide(_ body: Decision.Body) { decide(body, id: context.nextID()) }

    mutating func decide(_ body: Decision.Body, id: String) { decisions.append(Decision(id: id, body: body)) }
}
