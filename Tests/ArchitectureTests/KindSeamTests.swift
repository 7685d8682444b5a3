import Foundation
import Testing

/// The seam between kinds of answers: code that depends on the kind is in a folder of the kind's name, and code that
/// forwards values of any kind does not inspect the kind.
@Suite("The seam between kinds")
struct KindSeamTests {
    /// Files with a switch over kinds.
    static let dispatcherFiles = ["Sources/Kinds/Dispatch.swift", "Sources/Events/Kinds/Codecs.swift"]
    /// Modules that know one kind only, or display its values: built-in models, benchmarks, the demo.
    static let choiceModules = ["Learner", "FlywheelBench", "Demo"]
    /// The most files outside the folders of `choice` and these modules that may name a class's position or a
    /// distribution over classes.
    static let maximumFiles = 30

    /// Folders with other enumerations that have a case of a kind's name, with the reason.
    private static let harmless = [
        ("Sources/Forms/", "a shape of values"), ("Sources/ProjectFiles/Reference/", "a shape of values"),
    ]

    /// Names of the kinds, as declared in `Vocabulary`.
    private static func kinds() throws -> [String] {
        let text = try Repository.text("Sources/Vocabulary/Kinds.swift")
        let body = try #require(text.split(separator: "public enum KindName").last?.split(separator: "\n}").first)
        return body.matches(of: #/\n    case (\w+)/#).map { String($0.output.1) }
    }

    /// Sources outside the kinds' own folders and those in `choiceModules`.
    private static func shared(_ kinds: [String]) -> [String] {
        let folders = kinds.map { "/\($0.prefix(1).uppercased())\($0.dropFirst())/" }
        return Repository.files(below: "Sources", withExtension: "swift").filter { path in
            !folders.contains { path.contains($0) } && !choiceModules.contains { path.hasPrefix("Sources/\($0)/") }
        }
    }

    @Test("Only the two dispatchers distinguish between kinds")
    func switches() throws {
        let kinds = try Self.kinds()
        #expect(kinds.contains("choice"))
        let names = kinds.joined(separator: "|")
        // Matches a pattern with a kind's case and a comparison with one.
        let name = #"(\w+)?\.("# + names + #")\b"#
        let distinguishing = try Regex(
            #"(\bcase (let )?\(?"# + name + #"|\bcase \(.*, *(let )?"# + name + #"|[!=]= "# + name + #"|"# + name
                + #" [!=]=)"#
        )
        .wordBoundaryKind(.simple)
        var dispatchers: Set<String> = []
        for path in Self.shared(kinds) where !Self.harmless.contains(where: { path.hasPrefix($0.0) }) {
            for line in codeLines(try Repository.text(path)) where line.text.firstMatch(of: distinguishing) != nil {
                dispatchers.insert(path)
                guard !Self.dispatcherFiles.contains(path) else { continue }
                Issue.record("\(path):\(line.number) tells kinds apart: ask Kinds or a codec, or move it to a folder")
            }
        }
        #expect(dispatchers == Set(Self.dispatcherFiles))
    }

    @Test("Few files outside the folders of `choice` name a class or a distribution over classes")
    func classes() throws {
        let words = #/\b(ClassIndex|ClassPosition|ClassDistribution|EnsembleOutput|ScoredPrediction)\b/#
            .wordBoundaryKind(.simple)
        let naming = try Self.shared(Self.kinds()).filter { path in
            try codeLines(Repository.text(path)).contains { $0.text.firstMatch(of: words) != nil }
        }
        print("\(naming.count) files name a class or a distribution: \(naming.joined(separator: ", "))")
        #expect(naming.count <= Self.maximumFiles)
    }
}
