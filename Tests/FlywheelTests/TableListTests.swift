import Events
import Flywheel
import Tables
import Testing
import Vocabulary

@Suite struct TableListTests {
    /// The type of a table or cell, and its number of rows.
    private typealias Entry = (type: String, rows: Int)

    /// Collects the tables and cells that the list reaches.
    private struct Visitor: TableVisitor {
        var entries: [Entry] = []

        mutating func table<Key, Value>(_: StaticString, _ table: inout Table<Key, Value>) {
            entries.append(("\(Table<Key, Value>.self)", table.count))
        }

        mutating func cell<Value>(_: StaticString, _ cell: inout Cell<Value>) {
            entries.append(("\(Cell<Value>.self)", cell.row == nil ? 0 : 1))
        }
    }

    /// Tables and cells that the state holds.
    private static func entries(in value: Any) -> [Entry] {
        let (mirror, type) = (Mirror(reflecting: value), "\(type(of: value))")
        func stored(_ name: String) -> Any? { mirror.children.first { $0.label == name }?.value }
        if type.hasPrefix("Table<") {
            return [(type, stored("rows").map { Mirror(reflecting: $0).children.count } ?? -1)]
        }
        if type.hasPrefix("Cell<") { return [(type, stored("isSet") as? Bool == true ? 1 : 0)] }
        guard mirror.displayStyle == .struct else { return [] }
        return mirror.children.flatMap { entries(in: $0.value) }
    }

    @Test("Every table and cell of the state is in the list once", arguments: DeterminismTests.seeds)
    func complete(seed: UInt64) {
        // Tables of one type are distinguished by their rows.
        var scenario = Scenario(seed: seed)
        scenario.run(entries: 1_200)
        var visitor = Visitor()
        scenario.state.visit(&visitor)
        let found = Self.entries(in: scenario.state).map { "\($0.type): \($0.rows) rows" }
        #expect(found.count > 25)
        #expect(visitor.entries.map { "\($0.type): \($0.rows) rows" }.sorted() == found.sorted())
    }

    @Test("Table names are distinct and contain no slash, which ends them in a key of the changelog")
    func names() {
        let names = ProjectState(project: ProjectID("pets")).tableCounts.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { !$0.contains("/") })
    }
}
