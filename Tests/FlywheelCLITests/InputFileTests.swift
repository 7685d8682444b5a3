import Configuration
import EngineCore
import Foundation
import ProjectFiles
import Testing
import Worker

@testable import FlywheelCLI

@Suite("Files that a command reads") struct InputFileTests {
    /// Runs `body` with the path of a folder that is removed afterwards.
    private func inFolder(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "input-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    /// Faults of a worker's file, one per line; nil if it has none.
    private func faults(_ yaml: String, replaced: Set<String> = []) throws -> String? {
        var found: String?
        try inFolder { folder in
            let path = "\(folder)/w.yaml"
            try yaml.write(toFile: path, atomically: true, encoding: .utf8)
            do {
                _ = try WorkerFile.read(path, for: .worker, replaced: replaced)
            } catch let error as ConfigurationError {
                found = error.description.replacing("\(folder)/", with: "")
            }
        }
        return found
    }

    @Test("A file that cannot be read is an error with the reason")
    func unreadable() throws {
        try inFolder { folder in
            func reason(_ path: String) -> String? {
                let read = #expect(throws: EngineError.self) { try InputFile.contents(of: path) }
                let opened = #expect(throws: EngineError.self) { try InputFile.open(path) }
                #expect(read == opened)
                return read?.reason
            }
            #expect(reason(folder) == "expected a file, found a folder")
            #expect(reason("\(folder)/none") == "No such file or directory")
            #expect(reason("") == "the path is empty")
            try "".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
            #expect(reason("\(folder)/file/none") == "Not a directory")
            #expect(try InputFile.contents(of: "\(folder)/file").isEmpty)
        }
    }

    /// Before: values were checked once nothing else was wrong, and without a line.
    @Test("Faults of values are reported with their lines, together with all other faults of a worker's file")
    func values() throws {
        let yaml = """
            topics: {prefix: "a b"}
            instance: ".."
            roles: []
            console:
              port: 9000
              port: 9001
              health_port: x
            salt: mine
            typo: 1
            """
        let found = try #require(try faults(yaml))
        let lines = found.split(separator: "\n").map(String.init)
        let expected = [
            "w.yaml:1: key topics.prefix: expected letters, digits",
            "w.yaml:2: key instance: expected a name without control, line or direction characters, found \"..\"",
            "w.yaml:3: key roles: expected at least one of intake, loop",
            "w.yaml:6: key console.port: the key stands twice, first on line 5",
            "w.yaml:7: key console.health_port: expected an integer",
            "w.yaml:8: key salt: expected ${VARIABLE} or file:PATH",
            "w.yaml:9: key typo: unknown key",
        ]
        #expect(lines.count == expected.count, "\(found)")
        for (line, start) in zip(lines, expected) { #expect(line.hasPrefix(start)) }
    }

    @Test("A project's file without a name is a project's file, and an empty path of a store is a fault")
    func kinds() throws {
        let text = Array("question: Which?\nclasses: [a, b]\n".utf8)
        #expect(ProjectFile.isProject(text, file: "x"))
        let error = #expect(throws: ConfigurationError.self) { try ProjectFile.read(text, file: "x") }
        #expect(error?.description.contains("key project: expected") == true)
        #expect(!ProjectFile.isProject(Array("roles: [intake]\n".utf8), file: "x"))
        #expect(try faults("store: {path: \"\"}\n") == "w.yaml:1: key store.path: expected a path, found nothing")
        #expect(try faults("store: {path: \"\"}\n", replaced: ["store.path"]) == nil)
        #expect(try faults("kafka: {bootstrap.servers: \"\"}\n")?.contains("expected HOST:PORT, found nothing") == true)
    }

    @Test("The time of a file with very many faults grows with its size, not with its square")
    func manyKeys() throws {
        let text = (0..<60_000).map { "k\($0): 1\n" }.joined()
        var found: String?
        let time = try ContinuousClock().measure { found = try faults(text) }
        #expect(found?.contains("59900 more are not listed") == true && time < .seconds(30), "\(time)")
    }

    @Test("A value that cannot be read is reported once, and one replaced by an option is not reported")
    func once() throws {
        let found = try #require(try faults("roles: [nothing]\n"))
        #expect(found.split(separator: "\n").count == 1 && found.contains("expected some of intake"))
        #expect(try faults("instance: \"\"\n", replaced: ["instance"]) == nil)
        let both = "roles: [console]\nconsole: {port: 9000, health_port: 9000}\n"
        #expect(try faults(both)?.hasPrefix("w.yaml:2: key console.health_port: expected another port") == true)
        #expect(try faults(both, replaced: ["console.health_port"]) == nil)
    }
}
