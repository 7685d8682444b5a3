import Testing

/// Examples in docstrings, fenced as Swift: each is contained, line for line, in a test that is compiled and run.
@Suite struct DocumentedExampleTests {
    static let tests = "Tests/DocumentedExamplesTests"
    /// The least number of modules with an example in a docstring.
    static let fewestModules = 10

    /// A fenced block of a doc comment.
    struct Example: Equatable {
        /// The line of the fence, counted from 1.
        let line: Int
        /// Lines of the block without the comment marks; nil if the comment ends before the block does.
        let code: [String]?
    }

    /// Blocks of Swift in the doc comments of a source, in order.
    static func examples(in source: String) -> [Example] {
        var examples: [Example] = []
        var start = 0
        var code: [String]?
        for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let text = line.drop { $0 == " " }
            guard text.hasPrefix("///") else {
                if code != nil { examples.append(Example(line: start, code: nil)) }
                code = nil
                continue
            }
            let content = String(text.dropFirst(text.hasPrefix("/// ") ? 4 : 3))
            if let lines = code {
                if content == "```" {
                    examples.append(Example(line: start, code: lines))
                    code = nil
                } else {
                    code = lines + [content]
                }
            } else if content == "```swift" {
                start = index + 1
                code = []
            }
        }
        if code != nil { examples.append(Example(line: start, code: nil)) }
        return examples
    }

    /// Whether a text contains all lines of an example in succession, each indented by the same number of spaces.
    ///
    /// - Complexity: O(*n* *m*) in the lines of both.
    static func contains(_ text: String, _ code: [String]) -> Bool {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = code.first, lines.count >= code.count else { return false }
        return (0...lines.count - code.count).contains { start in
            let margin = lines[start].prefix { $0 == " " }.dropLast(first.prefix { $0 == " " }.count)
            return zip(lines[start...], code).allSatisfy { $0 == ($1.isEmpty ? "" : margin + $1) }
        }
    }

    @Test("Swift blocks are found whole, and are contained in a text only line for line")
    func rule() {
        let source = """
            /// Sums.
            ///
            /// ```swift
            /// var sum = 0
            ///
            /// for number in 1...3 {
            ///     sum += number
            /// }
            /// ```
            struct A {
                /// ```
                /// no Swift
                /// ```
                /// ```swift
                /// let a = 1
                func f() {}
            }
            """
        let code = ["var sum = 0", "", "for number in 1...3 {", "    sum += number", "}"]
        #expect(Self.examples(in: source) == [.init(line: 3, code: code), .init(line: 14, code: nil)])
        #expect(Self.examples(in: "/// ```swift\n/// let a = 1") == [.init(line: 1, code: nil)])
        #expect(Self.examples(in: "// ```swift\n// let a = 1\n// ```").isEmpty)

        let body = "  var sum = 0\n\n  for number in 1...3 {\n      sum += number\n  }"
        #expect(Self.contains("func f() {\n\(body)\n  #expect(sum == 6)\n}", code))
        #expect(Self.contains(code.joined(separator: "\n"), code))
        #expect(!Self.contains(body.replacing("1...3", with: "1...4"), code))
        #expect(!Self.contains(body.replacing("0\n\n", with: "0\n  let one = 1\n"), code))
        #expect(!Self.contains(body.replacing("      sum", with: "  sum"), code))
        #expect(!Self.contains("  var sum = 0\n\n  for number in 1...3 {", code))
        #expect(!Self.contains("a", []))
    }

    @Test("Every example in a docstring is compiled and run by a test, and ten modules have one")
    func examples() throws {
        let tests = try Repository.files(below: Self.tests, withExtension: "swift").map { try Repository.text($0) }
        var modules: Set<Substring> = []
        for path in Repository.files(below: "Sources", withExtension: "swift") {
            for example in Self.examples(in: try Repository.text(path)) {
                guard let code = example.code, !code.isEmpty else {
                    Issue.record("\(path):\(example.line): the example is empty, or its fence is not closed")
                    continue
                }
                modules.insert(path.split(separator: "/")[1])
                if tests.contains(where: { Self.contains($0, code) }) { continue }
                Issue.record("\(path):\(example.line): no file of \(Self.tests) has the example, line for line")
            }
        }
        #expect(modules.count >= Self.fewestModules, "only \(modules.sorted()) have an example")
    }
}
