import Foundation
import Testing

@Suite struct SourceTextTests {
    @Test("Comments and string literals are not code, and only whole words match")
    func scanner() {
        let lines = codeLines("let a = \"Date(\" + b // Date(\n/* Date(\n*/ Date()\nlet c = \"\"\"\n  try! x\n  \"\"\"")
        #expect(lines.map { $0.text.contains("Date(") } == [false, false, true, false, false, false])
        #expect(!lines.contains { $0.text.contains("try!") })
        #expect(contains("let x = Date(1)", word: "Date("))
        #expect(!contains("StreamDate(1)", word: "Date("))
        #expect(contains("a as! B", word: "as!"))
    }

    @Test(
        "Deterministic modules use no clock, randomness, environment or per-process hash",
        arguments: ModuleGraph.deterministic
    )
    func determinism(module: String) throws {
        let forbidden = [
            "Double.random", "Int.random", "Float.random", "Bool.random", "SystemRandomNumberGenerator", "shuffled",
            "randomElement", "Date(", "Date.now", "clock_gettime", "gettimeofday", "ContinuousClock", "SuspendingClock",
            "UUID(", "ProcessInfo", "getenv", "Hasher(", "hashValue", "Task.sleep", "DispatchTime", "arc4random",
        ]
        let files = Repository.files(below: "Sources/\(module)", withExtension: "swift")
        #expect(!files.isEmpty)
        for path in files {
            for line in codeLines(try Repository.text(path)) {
                for word in forbidden where contains(line.text, word: word) {
                    Issue.record("\(path):\(line.number) says \(word)")
                }
            }
        }
    }

    @Test("No Swift file is longer than 500 lines")
    func lengths() throws {
        var long: [String] = []
        for path in ["Sources", "Tests"].flatMap({ Repository.files(below: $0, withExtension: "swift") }) {
            let lines = try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false).count - 1
            #expect(lines <= 500, "\(path) has \(lines) lines")
            if lines > 300 { long.append("\(path): \(lines)") }
        }
        if !long.isEmpty {
            print("files of more than 300 lines, to be looked at:\n  \(long.joined(separator: "\n  "))")
        }
    }

    @Test("Sources contain no forced traps and no postponed work")
    func traps() throws {
        for path in Repository.files(below: "Sources", withExtension: "swift") {
            for line in codeLines(try Repository.text(path)) {
                // A method of that name does not trap.
                let code = line.text.replacing(".fatalError(", with: "").replacing("func fatalError(", with: "")
                for word in ["fatalError(", "try!", "as!"] where contains(code, word: word) {
                    Issue.record("\(path):\(line.number) says \(word)")
                }
            }
        }
        let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
        for path in Repository.files(below: "Sources") where !path.hasSuffix(".csv") {
            let text = try Repository.text(path)
            for mark in marks where contains(text, word: mark) { Issue.record("\(path) says \(mark)") }
        }
    }

    @Test("Commands print only through `Terminal`, which escapes foreign text")
    func printing() throws {
        for path in Repository.files(below: "Sources/FlywheelCLI", withExtension: "swift")
        where !path.hasSuffix("/Terminal.swift") {
            for line in codeLines(try Repository.text(path)) {
                for word in ["print(", "standardError", "standardOutput", "fputs("]
                where contains(line.text, word: word) {
                    Issue.record("\(path):\(line.number) says \(word)")
                }
            }
        }
    }

    @Test("No file names a path on a developer's machine")
    func folders() throws {
        let folders = ["work", "home", "root"].map { "/\($0)/" }
        let files =
            Repository.trackedFiles()
            ?? ["Sources", "Tests", "docs", "schemas", "deploy"].flatMap { Repository.files(below: $0) }
        #expect(files.count > 100, "only \(files.count) files were found")
        for path in files {
            guard let text = try? Repository.text(path) else { continue }
            for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                for folder in folders where Self.names(folder, in: line) {
                    Issue.record("\(path):\(index + 1) names \(folder)")
                }
            }
        }
    }

    /// Whether a line contains the beginning of an absolute path, not preceded by part of a name.
    private static func names(_ folder: String, in line: Substring) -> Bool {
        var start = line.startIndex
        while let range = line.range(of: folder, range: start..<line.endIndex) {
            guard range.lowerBound > line.startIndex else { return true }
            let before = line[line.index(before: range.lowerBound)]
            if !before.isLetter, !before.isNumber, !"_-.}$*>".contains(before) { return true }
            start = range.upperBound
        }
        return false
    }
}
