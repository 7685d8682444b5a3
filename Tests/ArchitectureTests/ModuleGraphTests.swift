import Foundation
import Testing

@Suite struct ModuleGraphTests {
    /// The edges that `Package.swift` states for targets declared by the given calls.
    static func statedEdges(of calls: [String] = ["module(", "executable("]) throws -> [String: Set<String>] {
        let text = try Repository.text("Package.swift")
        guard let start = text.range(of: "targets: [\n        // 0  C") else { return [:] }
        var edges: [String: Set<String>] = [:]
        for call in calls {
            var rest = text[start.upperBound...]
            while let found = rest.range(of: call) {
                let arguments = balanced(rest[found.upperBound...])
                let parts = literals(
                    arguments.prefixBefore("exclude:").prefixBefore("resources:").prefixBefore("settings:")
                )
                if let name = parts.first {
                    var targets = Set(parts.dropFirst())
                    if contains(arguments, word: "base") { targets.formUnion(ModuleGraph.base) }
                    if contains(arguments, word: "reducers") { targets.formUnion(ModuleGraph.reducers) }
                    edges[name] = targets
                }
                rest = rest[found.upperBound...]
            }
        }
        return edges
    }

    /// The text up to the parenthesis that closes the one already open.
    private static func balanced(_ text: Substring) -> String {
        var depth = 1
        for index in text.indices {
            if text[index] == "(" { depth += 1 }
            if text[index] == ")" { depth -= 1 }
            if depth == 0 { return String(text[..<index]) }
        }
        return String(text)
    }

    private static func literals(_ text: String) -> [String] {
        text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }

    @Test("Package.swift states the edges of the module graph, no more and no fewer")
    func package() throws {
        let stated = try Self.statedEdges()
        #expect(Set(stated.keys) == Set(ModuleGraph.edges.keys))
        for (module, edges) in ModuleGraph.edges.sorted(by: { $0.key < $1.key }) {
            let found = stated[module] ?? []
            #expect(found == edges, "\(module) differs in \(found.symmetricDifference(edges).sorted())")
        }
    }

    @Test("A base module imports no other base module except Telemetry and those listed for it")
    func baseModules() {
        let modules = Set(ModuleGraph.layers[1])
        for module in modules.sorted() {
            var others = ModuleGraph.edges[module, default: []].intersection(modules)
            others.remove("Telemetry")
            #expect(others == ModuleGraph.sideways[module, default: []], "\(module) imports \(others)")
        }
    }

    @Test(
        "Reducers import only Forms, Kinds, Vocabulary, Tables, Statistics and Hashing; Acquisition also Strategies",
        arguments: ModuleGraph.reducers
    )
    func reducers(module: String) {
        let own: Set<String> = module == "Acquisition" ? ["Strategies"] : []
        #expect(
            ModuleGraph.edges[module]?.isSubset(
                of: own.union(["Forms", "Kinds", "Vocabulary", "Tables", "Statistics", "Hashing"])
            ) == true
        )
    }

    @Test(
        "Intake, Loop, Materializer and Trainer do not import each other",
        arguments: ModuleGraph.services
    )
    func services(module: String) {
        let others = Set(ModuleGraph.services).subtracting([module])
        #expect(ModuleGraph.edges[module, default: []].isDisjoint(with: others))
    }

    @Test("A module has at most 60 files")
    func sizes() {
        for module in ModuleGraph.edges.keys.sorted() {
            let count = Repository.files(below: "Sources/\(module)", withExtension: "swift").count
            #expect((1...60).contains(count), "\(module) has \(count) files")
        }
    }

    @Test("Every edge leads to a lower layer")
    func directions() {
        var level: [String: Int] = [:]
        for (height, modules) in ModuleGraph.layers.enumerated() { for module in modules { level[module] = height } }
        let tests = ModuleGraph.kits + ModuleGraph.testPrograms
        for (module, edges) in ModuleGraph.edges where !tests.contains(module) {
            guard let height = level[module] else {
                Issue.record("\(module) stands in no layer")
                continue
            }
            for edge in edges where !(height == 1 && (edge == "Telemetry" || ModuleGraph.sideways[module] != nil)) {
                #expect((level[edge] ?? .max) < height, "\(module) imports \(edge)")
            }
            #expect(edges.isDisjoint(with: tests), "\(module) imports a test kit")
        }
    }

    @Test("Each C library is imported by one module, apart from test kits")
    func cLibraries() {
        for (library, entry) in ModuleGraph.cLibraries {
            let known = ModuleGraph.edges.filter { $0.value.contains(library) }.map(\.key)
                .filter { !ModuleGraph.kits.contains($0) }
            #expect(known == [entry.owner].compactMap { $0 }, "\(library) is known to \(known.sorted())")
        }
    }

    @Test("Every folder of Sources is a target of the graph, and every module of the graph has a folder")
    func folders() {
        let known = Set(ModuleGraph.edges.keys).union(ModuleGraph.cLibraries.keys)
        #expect(Set(Repository.folders(in: "Sources")) == known)
    }

    @Test("Every folder of Tests is a test target, and every test target has a folder with tests")
    func testFolders() throws {
        let text = try Repository.text("Package.swift")
        let stated = text.matches(of: #/\btests\(\s*"(\w+)"/#).map { String($0.output.1) }
        // Tests written in Python, which share no code with the engine.
        let foreign: Set = ["Acl", "Chaos", "Examples", "Hostile", "S3"]
        #expect(Set(Repository.folders(in: "Tests")).subtracting(foreign) == Set(stated))
        #expect(stated.count == Set(stated).count)
        for target in stated {
            let files = Repository.files(below: "Tests/\(target)", withExtension: "swift")
            let tests = try files.filter { try Repository.text($0).contains("@Test") }
            #expect(!tests.isEmpty, "\(target) has no test")
        }
    }

    @Test("A folder of tests has the name of the module under test, or of the subject if it spans modules")
    func testNames() throws {
        let spanning: Set = [
            "Architecture", "Broker", "CommandBroker", "Contract", "EndToEnd", "Examples", "MockCluster", "Pipeline",
        ]
        let modules = Set(ModuleGraph.edges.keys)
        let text = try Repository.text("Package.swift")
        for target in text.matches(of: #/\btests\(\s*"(\w+)Tests"/#).map({ String($0.output.1) }) {
            guard target != "DocumentedExamples" else { continue }
            #expect(modules.contains(target) != spanning.contains(target), "\(target)Tests")
        }
    }

    @Test("Every module declares something public, and executables nothing")
    func publicDeclarations() throws {
        let declaration =
            #/^(?:public|package) (?:final |nonisolated )*(?:struct|enum|class|protocol|func|let|var|typealias) \w+/#
        let openExtension = #/^\s+public (?:static |mutating |final )*(?:func|var|init|subscript|let)\b/#
        for module in ModuleGraph.edges.keys.sorted() {
            var count = 0
            for path in Repository.files(below: "Sources/\(module)", withExtension: "swift") {
                for line in codeLines(try Repository.text(path)) {
                    if line.text.firstMatch(of: declaration) != nil { count += 1 }
                    if module == "Flywheel", line.text.firstMatch(of: openExtension) != nil { count += 1 }
                }
            }
            if (["FlywheelCLI", "FlywheelBench"] + ModuleGraph.testPrograms).contains(module) {
                #expect(count == 0, "\(module) is an executable: nobody can use what it declares public")
            } else {
                #expect(count > 0 || Self.isPlanned(module), "\(module) declares nothing public")
            }
        }
    }

    /// Whether a module has no source yet beyond a placeholder: such a module may be empty, but not half finished.
    private static func isPlanned(_ module: String) -> Bool {
        let files = Repository.files(below: "Sources/\(module)", withExtension: "swift")
        let lines = files.compactMap { try? Repository.text($0) }.flatMap { codeLines($0) }
        return files.count <= 1 && lines.filter { !$0.text.allSatisfy(\.isWhitespace) }.count <= 3
    }
}

extension String {
    func prefixBefore(_ mark: String) -> String {
        guard let range = range(of: mark) else { return self }
        return String(self[..<range.lowerBound])
    }
}
