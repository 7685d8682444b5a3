import Foundation
import Testing

@Suite struct ImportTests {
    /// The module that a line imports, as in `@preconcurrency internal import struct Foundation.URL`; nil if the line
    /// is no import.
    static func imported(_ line: String) -> String? {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ";" })
        guard let position = words.firstIndex(of: "import"), position + 1 < words.count else { return nil }
        let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
        guard words[..<position].allSatisfy({ modifiers.contains($0) || $0.hasPrefix("@") }) else { return nil }
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
        let next = kinds.contains(words[position + 1]) && position + 2 < words.count ? position + 2 : position + 1
        return words[next].split(separator: ".").first.map { String($0) }
    }

    @Test("Every form of an import line is understood")
    func forms() {
        #expect(Self.imported("import JSON") == "JSON")
        #expect(Self.imported("  @preconcurrency public import Foundation") == "Foundation")
        #expect(Self.imported("@_spi(Testing) internal import Loop;") == "Loop")
        #expect(Self.imported("private import func Glibc.exp") == "Glibc")
        #expect(Self.imported("let important = 1") == nil)
        #expect(Self.imported("func f(import name: String)") == nil)
    }

    @Test("Every import line of Sources is an edge of the module graph")
    func edges() throws {
        var seen = 0
        for module in ModuleGraph.edges.keys.sorted() {
            var allowed = ModuleGraph.edges[module, default: []].union(ModuleGraph.toolchain)
            if ModuleGraph.kits.contains(module) { allowed.insert("Testing") }
            for path in Repository.files(below: "Sources/\(module)", withExtension: "swift") {
                for line in codeLines(try Repository.text(path)) {
                    guard let name = Self.imported(line.text) else { continue }
                    seen += 1
                    #expect(allowed.contains(name), "\(path):\(line.number) imports \(name), and \(module) may not")
                }
            }
        }
        #expect(seen > 100, "only \(seen) import lines were found")
    }

    @Test("Every edge of Package.swift, including those of tests, is used by an import line")
    func unusedEdges() throws {
        let stated = try ModuleGraphTests.statedEdges(of: ["module(", "executable(", "tests("])
        #expect(stated.count > 50, "only \(stated.count) targets were found")
        for (target, edges) in stated.sorted(by: { $0.key < $1.key }) {
            let folder = ModuleGraph.edges.keys.contains(target) ? "Sources/\(target)" : "Tests/\(target)"
            let files = Repository.files(below: folder, withExtension: "swift")
            let imported = Set(
                try files.flatMap { codeLines(try Repository.text($0)).compactMap { Self.imported($0.text) } }
            )
            for edge in edges.subtracting(imported).sorted() {
                Issue.record(
                    "Package.swift lets \(target) import \(edge), and no file of \(folder) does: remove the edge"
                )
            }
        }
    }

    @Test("Deterministic modules import no module of the toolchain")
    func purity() throws {
        for module in ModuleGraph.deterministic {
            for path in Repository.files(below: "Sources/\(module)", withExtension: "swift") {
                for line in codeLines(try Repository.text(path)) {
                    guard let name = Self.imported(line.text) else { continue }
                    #expect(ModuleGraph.edges.keys.contains(name), "\(path):\(line.number) imports \(name)")
                }
            }
        }
    }

    @Test("C targets include their own header, their library's and the standard library's, nothing else")
    func includes() throws {
        var seen = 0
        for (target, library) in ModuleGraph.cLibraries.sorted(by: { $0.key < $1.key }) {
            let files = Repository.files(below: "Sources/\(target)")
            let own = Set(files.compactMap { $0.split(separator: "/").last.map { String($0) } })
            for path in files where ["c", "cpp", "h"].contains(URL(fileURLWithPath: path).pathExtension) {
                for line in try Repository.text(path).split(separator: "\n") where line.hasPrefix("#include") {
                    seen += 1
                    let name = String(line.dropFirst("#include".count).filter { !" <>\"\t".contains($0) })
                    // Headers of the C and C++ standard libraries are not in the repository.
                    let isStandard = line.contains("<") && Self.standard.contains(name)
                    let isLibrary = library.headers.contains { name == $0 || ($0.hasSuffix("/") && name.hasPrefix($0)) }
                    let isOwn = line.contains("\"") && own.contains(name)
                    #expect(isStandard || isLibrary || isOwn, "\(path) includes \(name)")
                }
            }
        }
        #expect(seen > 10, "only \(seen) include lines were found")
    }

    private static let standard: Set<String> = [
        "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "errno.h", "unistd.h", "cmath",
        "cstdlib", "cstring", "immintrin.h",
        "cstdint", "cstddef", "new", "string", "memory",
    ]
}
