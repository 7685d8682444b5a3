import Foundation

/// Project files, each with its expected result: the record in JSON, or all faults.
enum GoldenFiles {
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static let folder = "Tests/ProjectFilesTests/Golden"

    /// Names, without extension, of the golden files with the extension `ending`.
    static func names(_ ending: String) -> [String] {
        let path = repository.appendingPathComponent(folder).path
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
            .filter { $0.hasSuffix(".\(ending)") }.map { String($0.dropLast(ending.count + 1)) }
    }

    static func bytes(_ name: String) throws -> [UInt8] { try file("\(folder)/\(name)") }

    static func file(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: repository.appendingPathComponent(path)))
    }

    static func text(_ name: String) throws -> String {
        String(decoding: try bytes(name), as: UTF8.self).trimmingCharacters(in: .newlines)
    }
}
