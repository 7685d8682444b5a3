import Statistics
import Tables
import Testing

@Suite struct TableTests {
    @Test("Equal keys in different spellings are one key of the changelog, too")
    func spellings() {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        #expect(composed == decomposed && Array(composed.utf8) != Array(decomposed.utf8))
        var table = Table<String, Int>()
        // Keyed by bytes, as in the topic.
        var stored: [[UInt8]: Int] = [:]
        func commit() {
            for change in table.changes { stored[Array(change.key.utf8)] = change.value }
            table.commit()
        }
        table[composed] = 1
        commit()
        table[decomposed] = 2
        commit()
        #expect(stored == [Array(composed.utf8): 2])
        table[decomposed] = nil
        table[decomposed] = 3
        commit()
        #expect(stored == [Array(composed.utf8): 3])
        table[decomposed] = nil
        table.undo()
        table[decomposed] = nil
        commit()
        #expect(stored.isEmpty && table.isEmpty)
    }

    @Test("A value that equals the committed one is not written again and keeps its committed spelling")
    func spelledValues() {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        for isRemoved in [true, false] {
            var table = Table<Int, String>()
            table[1] = composed
            table.commit()
            table[1] = isRemoved ? nil : "tea"
            table[1] = decomposed
            #expect(table.changes.isEmpty)
            #expect(table[1].map { Array($0.utf8) } == Array(composed.utf8))
        }
    }

    @Test(
        "A table behaves like a dictionary, and its changes lead from the last commit to the current rows",
        arguments: 0..<60 as Range<UInt64>
    )
    func model(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var table = Table<Int, Int>()
        var current: [Int: Int] = [:]
        var committed: [Int: Int] = [:]
        // The rows that a reader of the changelog has.
        var stored: [Int: Int] = [:]
        for step in 0..<300 {
            let key = generator.next(below: 12)
            switch generator.next(below: 10) {
            case 0..<5:
                let value = generator.next(below: 4)
                table[key] = value
                current[key] = value
            case 5, 6:
                table[key] = nil
                current[key] = nil
            case 7:
                table[key, default: 100] += 1
                current[key, default: 100] += 1
            case 8:
                for change in table.changes { stored[change.key] = change.value }
                table.commit()
                committed = current
                #expect(stored == committed, "step \(step)")
                #expect(!table.hasChanges)
                #expect(table.changes.isEmpty)
            default:
                if generator.next(below: 3) == 0 {
                    table.undo()
                    current = committed
                    #expect(!table.hasChanges)
                }
            }
            let isAlike = Self.isAlike(table, current)
            let isLogged = Self.isLogged(table, committed, current)
            if !isAlike || !isLogged {
                Issue.record("seed \(seed), step \(step): \(current) became \(table.sortedRows)")
            }
        }
    }

    private static func isAlike(_ table: Table<Int, Int>, _ rows: [Int: Int]) -> Bool {
        let least = table.minimum { ($0.value, $0.key) < ($1.value, $1.key) }
        let expected = rows.map { ($0.value, $0.key) }.min { $0 < $1 }
        return table.count == rows.count && table.isEmpty == rows.isEmpty && table.sortedKeys == rows.keys.sorted()
            && (0..<12).allSatisfy { table[$0] == rows[$0] }
            && table.sortedRows.map(\.value) == rows.keys.sorted().map { rows[$0] }
            && table.count { _, value in value > 1 } == rows.values.count { $0 > 1 }
            && least?.key == expected?.1 && least?.value == expected?.0
    }

    /// Whether the changes are exactly those from the last commit to the current rows.
    private static func isLogged(_ table: Table<Int, Int>, _ committed: [Int: Int], _ current: [Int: Int]) -> Bool {
        let expected = (0..<12).filter { committed[$0] != current[$0] }
        return table.changes.map(\.key) == expected && table.changes.map(\.value) == expected.map { current[$0] }
    }

    @Test("A row that was changed back is not a change, and a new row that was removed needs no tombstone")
    func changedBack() {
        var table = Table<String, Int>()
        table["a"] = 1
        table.commit()
        table["a"] = 2
        table["a"] = 1
        table["b"] = 1
        table["b"] = nil
        #expect(table.changes.isEmpty)
        table["a"] = nil
        #expect(table.changes.map(\.key) == ["a"])
        #expect(table.changes.first?.value == .some(nil))
    }

    @Test("A restored row is present, is not written again, and survives an undo")
    func restore() {
        var table = Table<String, Int>()
        table.restore("a", 1)
        table.restore("b", 2)
        table.restore("b", nil)
        #expect(table["a"] == 1)
        #expect(table["b"] == nil)
        #expect(!table.hasChanges)
        table["a"] = 5
        table.undo()
        #expect(table["a"] == 1)
        #expect(table.count == 1)
    }

    @Test("Undo reverts removals, changes and additions at once")
    func undo() {
        var table = Table<Int, String>()
        for key in 0..<3 { table[key] = "\(key)" }
        table.commit()
        table[0] = nil
        table[1] = "other"
        table[9] = "new"
        table.undo()
        #expect(table.sortedRows.map(\.value) == ["0", "1", "2"])
        #expect(table.sortedKeys == [0, 1, 2])
    }
}

@Suite struct CellTests {
    @Test("A cell has its initial value until it is set, and its committed value after an undo")
    func values() {
        var cell = Cell(7)
        #expect(cell.value == 7)
        #expect(!cell.hasChanges)
        cell.value = 8
        #expect(cell.value == 8)
        cell.undo()
        #expect(cell.value == 7)
        cell.value = 9
        cell.commit()
        cell.value = 7
        #expect(cell.hasChanges && cell.row == 7)
        cell.undo()
        #expect(cell.value == 9)
    }

    @Test("A cell of an optional distinguishes a stored nil from a missing row")
    func optionals() {
        var cell = Cell<Int?>(3)
        cell.value = nil
        #expect(cell.value == nil)
        #expect(cell.row == .some(nil))
        cell.undo()
        #expect(cell.value == 3)
    }

    @Test("A cell that is set to its own value is not a change, but one that was never set becomes a row")
    func touched() {
        var cell = Cell(3)
        #expect(cell.row == nil)
        cell.value += 0
        #expect(cell.hasChanges && cell.row == 3)
        cell.commit()
        cell.value += 0
        #expect(!cell.hasChanges)
        cell.value += 1
        #expect(cell.hasChanges)
        cell.value -= 1
        #expect(!cell.hasChanges)
        cell.restore(nil)
        #expect(cell.row == nil && cell.value == 3)
        cell.restore(8)
        cell.commit()
        cell.value = 9
        cell.undo()
        #expect(cell.row == 8)
    }
}
