import Foundation

/// The files of this repository, located relative to this file.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Paths of the files below a folder, relative to the root, in ascending order; hidden ones are left out.
    static func files(below folder: String, withExtension pathExtension: String? = nil) -> [String] {
        let base = root.appendingPathComponent(folder)
        let options: FileManager.DirectoryEnumerationOptions = [.skipsHiddenFiles]
        guard let walk = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil, options: options)
        else { return [] }
        var paths: [String] = []
        for case let file as URL in walk where !file.hasDirectoryPath {
            if let pathExtension, file.pathExtension != pathExtension { continue }
            paths.append(String(file.path.dropFirst(root.path.count + 1)))
        }
        return paths.sorted()
    }

    /// Names of the folders directly below a folder.
    static func folders(in folder: String) -> [String] {
        let base = root.appendingPathComponent(folder)
        let entries = (try? FileManager.default.contentsOfDirectory(at: base, includingPropertiesForKeys: nil)) ?? []
        return entries.filter(\.hasDirectoryPath).map(\.lastPathComponent).filter { !$0.hasPrefix(".") }.sorted()
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// Paths of the files that git tracks, and of new files that it does not ignore; nil if git or a checkout is
    /// missing, as in an archive of the sources.
    static func trackedFiles() -> [String]? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git", "-C", root.path, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { return nil }
        return String(decoding: data, as: UTF8.self).split(separator: "\0").map { String($0) }
    }
}

/// A line of Swift without its comments and the contents of its string literals.
struct CodeLine {
    let number: Int
    let text: String
}

/// Splits Swift source into lines, with blanks for comments and for the contents of string literals.
func codeLines(_ source: String) -> [CodeLine] {
    var lines: [CodeLine] = []
    var commentDepth = 0
    var isInLongString = false
    for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        let bytes = Array(line.utf8)
        var code: [UInt8] = []
        var isInString = false
        var position = 0
        func at(_ text: StaticString) -> Bool {
            bytes[position...].starts(with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
        while position < bytes.count {
            if commentDepth > 0 {
                if at("*/") { commentDepth -= 1 } else if at("/*") { commentDepth += 1 }
                position += at("*/") || at("/*") ? 2 : 1
            } else if isInLongString {
                if at("\"\"\"") { isInLongString = false }
                position += isInLongString ? 1 : 3
            } else if isInString {
                if at("\"") { isInString = false }
                position += at("\\") ? 2 : 1
            } else if at("//") {
                break
            } else if at("/*") {
                commentDepth += 1
                position += 2
            } else if at("\"\"\"") {
                isInLongString = true
                position += 3
            } else if at("\"") {
                isInString = true
                code.append(0x20)
                position += 1
            } else {
                code.append(bytes[position])
                position += 1
            }
        }
        lines.append(CodeLine(number: index + 1, text: String(decoding: code, as: UTF8.self)))
    }
    return lines
}

/// Whether a text contains a separate word: no letter, digit or underscore adjoins it where it begins or ends with one.
func contains(_ text: String, word: String) -> Bool {
    func isPart(_ character: Character) -> Bool { character.isLetter || character.isNumber || character == "_" }
    var start = text.startIndex
    while let range = text.range(of: word, range: start..<text.endIndex) {
        let before = range.lowerBound == text.startIndex ? nil : text[text.index(before: range.lowerBound)]
        let after = range.upperBound == text.endIndex ? nil : text[range.upperBound]
        let isCutBefore = before.map { isPart($0) && word.first.map(isPart) == true } ?? false
        let isCutAfter = after.map { isPart($0) && word.last.map(isPart) == true } ?? false
        if !isCutBefore, !isCutAfter { return true }
        start = text.index(after: range.lowerBound)
    }
    return false
}
