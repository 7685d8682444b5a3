import Tables
import Testing

@Suite struct TablesExamples {
    @Test("A table lists its changes and undoes them")
    func changes() {
        var votes = Table<String, Int>()
        votes["s-1"] = 1
        votes.commit()
        votes["s-1"] = 2
        let changes = votes.changes
        votes.undo()
        #expect(changes.map(\.key) == ["s-1"])
        #expect(changes.map(\.value) == [2])
        #expect(votes["s-1"] == 1)
    }

    @Test("The first row is found without a scan")
    func first() {
        var pool = Table<String, Int>()
        var lowest = TopK<Int>()
        lowest.set("s-1", 7, in: &pool, from: nil, to: 7)
        lowest.set("s-2", 3, in: &pool, from: nil, to: 3)
        let first = lowest.first(of: pool) { _, score in score }
        #expect(first == 3)
    }
}
