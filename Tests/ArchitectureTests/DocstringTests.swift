import Testing

/// A docstring names the thing: it begins with a noun phrase, or with a verb.
@Suite struct DocstringTests {
    /// First words of docstrings that do not name the thing.
    private static let dialect = ["What", "That", "Of", "The same", "Those", "Who", "Whom", "Whose", "Whoever", "Such"]

    /// The first lines of the docstrings of a text that begin with a word of `dialect`, with their line numbers.
    static func dialect(in text: String) -> [(line: String, number: Int)] {
        var found: [(line: String, number: Int)] = []
        var isWithin = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let code = line.drop { $0 == " " }
            let isComment = code.hasPrefix("///")
            defer { isWithin = isComment }
            guard isComment, !isWithin else { continue }
            let words = code.dropFirst(3).drop { $0 == " " }
            if dialect.contains(where: { words.hasPrefix("\($0) ") || words.hasPrefix("\($0),") }) {
                found.append((String(code), index + 1))
            }
        }
        return found
    }

    @Test("The rule applies only to first lines of docstrings")
    func rule() {
        let text = """
            /// What a vote costs.
            /// Of these, one.
            let a = 1
                /// Cost of a vote.
                /// What follows is fine.
            let b = 2
            // That is no docstring.
                /// The same of others.
            """
        #expect(Self.dialect(in: text).map(\.number) == [1, 8])
    }

    @Test("No docstring begins with What, That, Of, The same, Those, Who or Such")
    func docstrings() throws {
        for folder in ["Sources", "Tests"] {
            for path in Repository.files(below: folder, withExtension: "swift")
            where !path.hasSuffix("DocstringTests.swift") {
                for (line, number) in Self.dialect(in: try Repository.text(path)) {
                    Issue.record("\(path):\(number) begins with a word that names nothing: \(line)")
                }
            }
        }
    }
}
