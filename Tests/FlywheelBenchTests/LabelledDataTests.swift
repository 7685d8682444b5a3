import Foundation
import Statistics
import Testing

@testable import FlywheelBench

@Suite struct LabelledDataTests {
    private func load(_ text: String, _ column: String, _ scale: LabelledData.Scale = .none) throws -> LabelledData {
        let path = NSTemporaryDirectory() + "bench-\(UUID().uuidString).csv"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try LabelledData(path: path, labelColumn: column, scale: scale)
    }

    @Test(
        "The class column is found by name or number, with or without a header, quotes, spaces and CR",
        arguments: [
            ("a,b,kind\n1,2,cat\n3,4,dog\n", "kind"), ("1,2,cat\n3,4,dog", "3"), ("a,b,kind\n1,2,cat\n3,4,dog\n", "3"),
            ("\"a\",\"b\",\"kind\"\r\n1, 2, \"cat\"\r\n3, 4, \"dog\"\r\n", "kind"),
            ("@relation x\n@data\n1,2,cat\n3,4,dog\n", "3"),
        ]
    )
    func columns(text: String, column: String) throws {
        let data = try load(text, column)
        #expect(data.classes == ["cat", "dog"])
        #expect(data.labels == [0, 1])
        #expect(data.features == [[1, 2], [3, 4]])
    }

    @Test("Numeric classes are in numeric order")
    func numericClasses() throws {
        #expect(try load("1,10\n1,9\n1,2\n", "2").classes == ["2", "9", "10"])
    }

    @Test("Features are scaled by the largest of all or standardized by column, even if a column is constant")
    func scales() throws {
        #expect(try load("2,-8,x\n4,0,y\n", "3", .max).features == [[0.25, -1], [0.5, 0]])
        #expect(try load("2,5,x\n4,5,y\n", "3", .standard).features == [[-1, 0], [1, 0]])
    }

    @Test(
        "An error names the line and column that cannot be read",
        arguments: [
            ("1,2,cat\n3,dog\n", "3", "line 2: expected 3 cells, found 2"),
            ("1,2,cat\n3,?,dog\n", "3", "line 2, column 2: expected a finite number, found \"?\""),
            ("1,nan,cat\n3,4,dog\n", "3", "line 1, column 2"),
            ("1,2,cat\n3,4,dog\n", "kind", "no column \"kind\"; there are numbers 1 to 3"),
            ("a,b\n1,x\n", "c", "no column \"c\"; there are a, b"),
            ("1,cat\n2,cat\n", "2", "expected at least two classes"),
            ("", "1", "there is no row"),
        ]
    )
    func errors(text: String, column: String, message: String) {
        #expect {
            _ = try load(text, column)
        } throws: { error in
            "\(error)".contains(message)
        }
    }

    @Test("A stratified split keeps the shares of the classes, and its parts are disjoint")
    func split() throws {
        let text = (0..<200).map { "\($0),\($0 % 4 == 0 ? "a" : "b")" }.joined(separator: "\n")
        let data = try load(text, "2")
        var generator = SplitMix64(seed: 7)
        let (train, test) = data.stratifiedSplit(testShare: 0.3, using: &generator)
        #expect(train.count == 140 && test.count == 60)
        #expect(Set(train).isDisjoint(with: test))
        #expect(test.count { data.labels[$0] == 0 } == 15)
    }
}
