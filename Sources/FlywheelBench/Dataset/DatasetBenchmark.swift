import Arguments
import Foundation
import JSON
import Processes

/// `flywheel-bench dataset`: the cost of sealing a version, by the size of the version before it, and of reading one.
///
/// Everything is written by the processor that a worker runs, into a folder that is removed at the end; each
/// measurement runs in a process of its own.
struct DatasetBenchmark {
    static let specification = CommandSpecification(
        "dataset",
        summary: "what a dataset version costs to seal and to read, by the size of the one before",
        options: [
            .option("labels", "N[,N]", help: "of the versions before", defaultValue: "100000,1000000"),
            .option("change", "N", help: "labels of the version that is sealed", defaultValue: "1000"),
            .option("dimension", "N", help: "coordinates of each sample of these", defaultValue: "8"),
            .option("read", "N", help: "labels of 64 coordinates that are read", defaultValue: "1000000"),
            .option("cuts", "N", help: "versions of ten labels each", defaultValue: "10000"),
            .option("verified", "N", help: "versions of ten labels each that are verified", defaultValue: "1000"),
            .option("folder", "DIR", help: "where versions are written; a temporary one unless given"),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )
    static let dimension = 64

    private let labels: [Int]
    private let change: Int
    private let coordinates: Int
    private let read: Int
    private let cuts: Int
    private let verified: Int
    private let folder: URL

    init(_ arguments: ParsedArguments) throws {
        let texts = (arguments.string("labels") ?? "100000,1000000").split(separator: ",")
        labels = texts.compactMap { Int($0) }.filter { (1...100_000_000).contains($0) }
        guard labels.count == texts.count, !labels.isEmpty else {
            throw ArgumentsError("expected numbers in 1...100000000 for --labels", command: "flywheel-bench dataset")
        }
        change = try arguments.int("change", in: 1...1_000_000) ?? 1_000
        coordinates = try arguments.int("dimension", in: 0...4_096) ?? 8
        read = try arguments.int("read", in: 1_000...100_000_000) ?? 1_000_000
        cuts = try arguments.int("cuts", in: 1...1_000_000) ?? 10_000
        verified = try arguments.int("verified", in: 1...1_000_000) ?? 1_000
        let parent = arguments.string("folder").map { URL(filePath: $0) } ?? FileManager.default.temporaryDirectory
        folder = parent.appending(path: "flywheel-dataset-\(UUID().uuidString)")
    }

    func run(printsJSON: Bool) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        var runs: [String] = []
        for count in labels {
            let sealed = folder.appending(path: "\(count)")
            runs.append(
                try measure("seal", sealed, ["labels": count, "change": change, "dimension": coordinates])
            )
            try FileManager.default.removeItem(at: sealed)
        }
        let filled = folder.appending(path: "read")
        _ = try measure("fill", filled, ["labels": read, "dimension": Self.dimension])
        let reading = try measure("read", filled, [:])
        try FileManager.default.removeItem(at: filled)
        let history = try measure("history", folder.appending(path: "history"), ["cuts": cuts])
        var verifications: [String] = []
        for form in [1, 2] {
            let small = folder.appending(path: "verified-\(form)")
            _ = try measure("history", small, ["cuts": verified, "form": form])
            verifications.append(try measure("verify", small, [:]))
        }
        guard !printsJSON else {
            let (seals, checks) = (runs.joined(separator: ","), verifications.joined(separator: ","))
            return print(
                #"{"runs":[\#(seals)],"read":\#(reading),"history":\#(history),"verify":[\#(checks)]}"#
            )
        }
        for run in runs { print("seal     \(run)") }
        print("read     \(reading)")
        print("history  \(history)")
        for verification in verifications { print("verify   \(verification)") }
    }

    private func measure(_ mode: String, _ folder: URL, _ options: [String: Int]) throws -> String {
        var words = ["dataset-mode", "--mode", mode, "--folder", folder.path]
        for (name, value) in options.sorted(by: { $0.key < $1.key }) { words += ["--\(name)", "\(value)"] }
        let run = try ChildProcess.run(CommandLine.arguments[0], words, timeout: .seconds(7_200))
        guard run.status.isSuccess else { throw BenchmarkError("\(mode): \(run.status) \(run.errorText)") }
        return run.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
