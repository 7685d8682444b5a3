internal import Configuration
internal import Events
internal import ProjectFiles
public import Statistics

/// Target for the readers of YAML: project files, and maps whose values are read as every type.
public final class YAMLTarget: FuzzTarget {
    public let name = "yaml"
    public let weight = 1.0
    private let corpus: [[UInt8]]
    private static let keys = [
        "project", "question", "classes", "acquisition", "labeling", "datasets", "training", "rollout", "embedding",
        "kafka", "bootstrap.servers", "window", "batch", "triggers", "when", "trials", "a", "",
    ]
    private static let values = [
        "1", "0x10", "1_000", "9223372036854775808", "1e999", ".inf", ".nan", "~", "null", "true", "yes", "no", "24h",
        "10s",
        "1ms", "99999999999999999999h", "-1h", "1GiB", "16EiB", "[]", "{}", "[a, b]", "{ a: 1 }", "\"\\0\"",
        "\"\\ud800\"",
        "'it''s'", "|\n  a\n  b", ">-\n  a\n\n  b", "&x a", "*x", "!!str 1", "!t", "? a : b", "- - - a", "#", "@", "`",
        "%",
        "${HOME}", "file:/etc/passwd", "2026-01-01", "\u{202E}x", "\u{85}", "\u{FEFF}", "0.5", "margin", "kmeans",
    ]

    /// Creates the target; mutations start from `files`, which are project files.
    public init(files: [[UInt8]]) { corpus = files }

    public func run(_ generator: inout SplitMix64, _ recorder: InputRecorder, _ outcomes: inout FuzzOutcomes) throws {
        var bytes: [UInt8]
        if !corpus.isEmpty, generator.chance(0.5) {
            bytes = changed(generator.pick(corpus), &generator)
        } else {
            bytes = []
            write(&bytes, indent: 0, &generator)
        }
        if generator.chance(0.3) { ByteMutator.mutate(&bytes, &generator) }
        recorder.step(["text": .blob(bytes)])
        try check(bytes, &outcomes)
    }

    public func replay(_ steps: [JSONTree], _ outcomes: inout FuzzOutcomes) throws {
        for step in steps { try check(step["text"]?.blob ?? [], &outcomes) }
    }

    /// A file with some of its lines changed: another value, duplicated, removed, or indented deeper.
    private func changed(_ file: [UInt8], _ generator: inout SplitMix64) -> [UInt8] {
        var lines = file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0) }
        for _ in 0...generator.size(below: 5) {
            let index = generator.next(below: lines.count)
            switch generator.next(below: 5) {
            case 0: lines.insert(lines[index], at: index)
            case 1 where lines.count > 1: lines.remove(at: index)
            case 2: lines[index] = [UInt8](repeating: 0x20, count: generator.next(below: 12)) + lines[index]
            default:
                guard let colon = lines[index].firstIndex(of: UInt8(ascii: ":")) else { continue }
                let value = generator.chance(0.5) ? generator.pick(Self.values) : generator.pick(Extremes.words)
                lines[index] = Array(lines[index][...colon]) + Array(" \(value)".utf8)
            }
        }
        return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    }

    private func write(_ bytes: inout [UInt8], indent: Int, _ generator: inout SplitMix64) {
        for _ in 0..<generator.between(1...6) {
            bytes += [UInt8](repeating: 0x20, count: indent)
            let isList = generator.chance(0.3)
            bytes += Array((isList ? "- " : "\(generator.pick(Self.keys)): ").utf8)
            if generator.chance(0.25), indent < 80 {
                bytes.append(UInt8(ascii: "\n"))
                write(&bytes, indent: indent + 2, &generator)
            } else {
                bytes +=
                    generator.chance(0.1)
                    ? Extremes.text(&generator, limit: 2_000) : Array(generator.pick(Self.values).utf8)
                bytes.append(UInt8(ascii: "\n"))
            }
        }
    }

    private func check(_ bytes: [UInt8], _ outcomes: inout FuzzOutcomes) throws {
        _ = ProjectFile.isProject(bytes, file: "f.yaml")
        do {
            let project = try ProjectFile.read(bytes, file: "f.yaml")
            outcomes.add("yaml", "project")
            guard JSONTree(reading: project.jsonBytes) != nil else {
                throw FuzzFault("a project file gives a revision that is no JSON")
            }
        } catch let error as ConfigurationError {
            outcomes.add("yaml", "refused")
            guard !error.issues.isEmpty else { throw FuzzFault("refused without an issue") }
        }
        try readByTypes(bytes, &outcomes)
    }

    private func readByTypes(_ bytes: [UInt8], _ outcomes: inout FuzzOutcomes) throws {
        guard let reader = try? ConfigurationReader(yaml: bytes, file: "f.yaml", environment: ["HOME": "h"]) else {
            return
        }
        outcomes.add("yaml", "map")
        for key in reader.keys {
            _ = reader.string(key, default: "")
            _ = reader.int(key, default: 1, in: 0...65_535)
            _ = reader.double(key, default: 1)
            _ = reader.bool(key, default: false)
            _ = reader.duration(key, default: .seconds(1))
            _ = reader.byteSize(key, default: 1)
            _ = reader.strings(key)
            _ = reader.stringMap(key)
            _ = reader.secretMap(key)
            _ = reader.secret(key)
            _ = reader.section(key)
            _ = reader.sections(key)
        }
        try? reader.finish()
    }
}
