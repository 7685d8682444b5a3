import Foundation
import Testing

/// Names of files in documents, comments and messages.
///
/// A name counts as a file of this repository if it ends with `.swift`, `.py`, `.md` or `.schema.json`, or if it begins
/// with one of the folders `Sources`, `Tests`, `docs`, `schemas` and `deploy`, or, between backquotes, with a module
/// and a slash. Names of other kinds (`project.yaml`, `manifest.json`) are files of users and are not checked. A
/// variable part of a path is written with a character that no name contains: `Sources/<Module>`, `$folder/a.py`.
@Suite struct DocumentedNameTests {
    static let folders = ["Sources/", "Tests/", "docs/", "schemas/", "deploy/"]
    static let endings = [".swift", ".py", ".md", ".schema.json"]

    static let modules = ModuleGraph.edges.keys.map { "\($0)/" }

    /// The names in a text that count as files by this rule, each with its line number.
    ///
    /// - Complexity: O(*n*) in the bytes of the text.
    static func names(in text: String) -> [(name: String, line: Int)] {
        let bytes = Array(text.utf8)
        var names: [(name: String, line: Int)] = []
        var line = 1
        var start = 0
        for end in 0...bytes.count {
            let byte = end < bytes.count ? bytes[end] : newline
            if isPart[Int(byte)] { continue }
            // The shortest name consists of a letter and the shortest ending.
            if end - start >= 4,
                let name = name(bytes[start..<end], after: start > 0 ? bytes[start - 1] : newline, before: byte)
            {
                names.append((name, line))
            }
            if byte == newline { line += 1 }
            start = end + 1
        }
        return names
    }

    private static let newline = UInt8(ascii: "\n")
    private static let isPart: [Bool] = (0..<256).map { byte in
        let character = Character(UnicodeScalar(UInt8(byte)))
        return character.isASCII && (character.isLetter || character.isNumber || "_+-./".contains(character))
    }

    /// A run of characters as a name; nil unless it counts as a file by this rule.
    private static func name(_ run: ArraySlice<UInt8>, after: UInt8, before: UInt8) -> String? {
        guard run.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") }) else { return nil }
        let (after, before) = (Character(UnicodeScalar(after)), Character(UnicodeScalar(before)))
        var name = String(decoding: run, as: UTF8.self)[...]
        // The name is outside the repository, such as a URL, or begins with a variable.
        if name.hasPrefix("/") || "$}*>)".contains(after) { return nil }
        // The part of the name before a placeholder counts only up to its last slash.
        if "*<{$\\".contains(before) { name = name[...(name.lastIndex(of: "/") ?? name.startIndex)] }
        while name.hasSuffix(".") { name.removeLast() }
        let isFile = endings.contains { name.hasSuffix($0) && name != $0 && !name.hasSuffix("/\($0)") }
        let isOurs =
            folders.contains { name.hasPrefix($0) } || (after == "`" && modules.contains { name.hasPrefix($0) })
        while name.hasSuffix("/") { name.removeLast() }
        return isFile || isOurs ? String(name) : nil
    }

    @Test("Names are found whole, and names of users' files and of files outside the repository are ignored")
    func rule() {
        func found(_ text: String) -> [String] { Self.names(in: text).map(\.name) }
        #expect(found("see docs/guides/operator.md.") == ["docs/guides/operator.md"])
        #expect(found("`Intake/TriggerSet.swift`, `Ports.swift`") == ["Intake/TriggerSet.swift", "Ports.swift"])
        #expect(found("a `Loop/Summary` and a Loop/Summary") == ["Loop/Summary"])
        #expect(found("[a](../../README.md#the-shape)") == ["../../README.md"])
        #expect(found("schemas/<event>/v1, Sources/\\(module)") == ["schemas", "Sources"])
        #expect(found("`schemas/tally/v1.schema.json`") == ["schemas/tally/v1.schema.json"])
        #expect(found("https://example.org/docs/a.md $root/deploy/a.py <Type>+Form.swift .py").isEmpty)
        #expect(found("`project.yaml` manifest.json a/b Apache-docs/").isEmpty)
    }

    @Test("Every file of this repository that a document, a comment or a message names exists")
    func existence() throws {
        let files =
            (Repository.trackedFiles()
            ?? ["Sources", "Tests", "docs", "schemas", "deploy"].flatMap { Repository.files(below: $0) })
            .filter { FileManager.default.fileExists(atPath: Repository.root.appendingPathComponent($0).path) }
        // Every suffix of a path of a file or a folder that begins with a whole name.
        var known: Set<Substring> = []
        for file in files {
            var path = Substring(file)
            while !path.isEmpty {
                known.formUnion(
                    path.indices.filter { $0 == path.startIndex || path[path.index(before: $0)] == "/" }.map {
                        path[$0...]
                    }
                )
                path = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
            }
        }
        var seen = 0
        for file in files where !file.lowercased().contains("/golden/") && !file.hasSuffix(".csv") {
            guard let text = try? Repository.text(file) else { continue }
            for (name, line) in Self.names(in: text) {
                seen += 1
                let here = URL(fileURLWithPath: "/\(file)").deletingLastPathComponent().appendingPathComponent(name)
                if known.contains(name[...]) || known.contains(here.standardized.path.dropFirst()) { continue }
                Issue.record(
                    "\(file):\(line) names \(name), which is not there: correct the name, or write a placeholder as <Name>"
                )
            }
        }
        #expect(seen > 300, "only \(seen) names were found")
    }
}
