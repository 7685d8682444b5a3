internal import Vocabulary

/// The decisions of one entry, as they are made.
struct Step {
    var context: EntryContext
    var decisions: [Decision] = []

    init(context: EntryContext) { self.context = context }

    mutating func decide(_ body: Decision.Body) { decide(body, id: context.nextID()) }

    mutating func decide(_ body: Decision.Body, id: String) { decisions.append(Decision(id: id, body: body)) }
}
