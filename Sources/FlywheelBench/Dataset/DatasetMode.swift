import Arguments
import DatasetFiles
import Foundation
import JSON
import Storage
import Trainer

/// One measurement of the dataset benchmark, in a process of its own, so that its memory is its own.
struct DatasetMode {
    static let specification = CommandSpecification(
        "dataset-mode",
        summary: "one measurement of the dataset benchmark; `dataset` starts it",
        options: [
            .option("mode", "NAME", help: "seal, fill, read, history or verify", isRequired: true),
            .option("folder", "DIR", help: "where versions are written", isRequired: true),
            .option("labels", "N", help: "of the version", defaultValue: "0"),
            .option("change", "N", help: "labels of a cut", defaultValue: "1000"),
            .option("cuts", "N", help: "versions", defaultValue: "0"),
            .option("dimension", "N", help: "coordinates of each sample", defaultValue: "8"),
            .option("form", "N", help: "of the versions, 1 or 2", defaultValue: "2"),
        ]
    )
    /// Number of labels per cut while a large version is built.
    private static let filling = 10_000
    /// Number of cuts that are measured; the median of their times counts.
    private static let seals = 5

    private let mode: String
    private let folder: String
    private let labels: Int
    private let change: Int
    private let cuts: Int
    private let dimension: Int
    private let form: Int

    init(_ arguments: ParsedArguments) throws {
        mode = try arguments.requiredString("mode")
        folder = try arguments.requiredString("folder")
        labels = try arguments.int("labels", in: 0...100_000_000) ?? 0
        change = try arguments.int("change", in: 1...1_000_000) ?? 1_000
        cuts = try arguments.int("cuts", in: 0...1_000_000) ?? 0
        dimension = try arguments.int("dimension", in: 0...4_096) ?? 8
        form = try arguments.int("form", in: 1...2) ?? 2
    }

    /// Prints one JSON value.
    func run() throws {
        var writer = JSONWriter()
        switch mode {
        case "seal": try seal(&writer)
        case "fill":
            try fill(DatasetHistory(folder: folder, dimension: dimension, form: form))
            writer.object { writer in writer.member("labels", labels) }
        case "read": try read(&writer)
        case "history": try history(&writer)
        case "verify": try verify(&writer)
        default:
            throw ArgumentsError(
                "expected seal, fill, read, history or verify, found \(mode)",
                command: "flywheel-bench dataset-mode"
            )
        }
        print(writer.text)
    }

    private func fill(_ history: DatasetHistory) throws {
        while history.labels < labels { try history.cut(min(Self.filling, labels - history.labels)) }
    }

    private func seal(_ writer: inout JSONWriter) throws {
        let history = try DatasetHistory(folder: folder, dimension: dimension, form: form)
        try fill(history)
        var seconds: [Double] = []
        var traffic: [CountedStore.Traffic] = []
        for _ in 0..<Self.seals {
            _ = history.objects.takeTraffic()
            seconds.append(try history.cut(change))
            traffic.append(history.objects.takeTraffic())
        }
        seconds.sort()
        // The worst cut: the figures depend on how full the last page is.
        let worst = traffic.max { $0.bytesWritten - $0.changeBytes < $1.bytesWritten - $1.changeBytes } ?? .init()
        writer.object { writer in
            writer.member("labels", labels)
            writer.member("change", change)
            writer.member("seal_s", seconds[seconds.count / 2])
            writer.member("bytes_written", worst.bytesWritten)
            writer.member("change_bytes", worst.changeBytes)
            writer.member("objects_written", worst.objectsWritten)
            writer.member("bytes_read", traffic.map(\.bytesRead).max() ?? 0)
            writer.member("peak_rss_mb", ProcessUsage.now().peakMemory)
        }
    }

    private func read(_ writer: inout JSONWriter) throws {
        let objects = CountedStore(try FolderStore(root: folder))
        let store = DatasetStore(objects: objects)
        guard let versionNumber = try store.versionNumbers(DatasetHistory.project).last,
            let manifest = try store.manifest(DatasetHistory.project, versionNumber: versionNumber)
        else { throw BenchmarkError("no version in \(folder)") }
        _ = objects.takeTraffic()
        let began = ProcessUsage.now().clock
        let matrix = try store.trainingMatrix(DatasetHistory.project, id: manifest.id)
        let ended = ProcessUsage.now()
        writer.object { writer in
            writer.member("labels", matrix.rows)
            writer.member("dimension", matrix.columns)
            writer.member("s", ended.clock - began)
            writer.member("mb_per_s", Double(objects.takeTraffic().bytesRead) / 1e6 / (ended.clock - began))
            writer.member("rss_over_matrix_mb", ended.peakMemory - Double(matrix.bytes) / 1_048_576)
        }
    }

    private func history(_ writer: inout JSONWriter) throws {
        let history = try DatasetHistory(folder: folder, dimension: dimension, form: form)
        var (largest, segments) = (0, 0)
        for _ in 0..<cuts {
            _ = history.objects.takeTraffic()
            try history.cut(10)
            let traffic = history.objects.takeTraffic()
            largest = max(largest, traffic.listBytes)
            segments += traffic.changeBytes
        }
        writer.object { writer in
            writer.member("cuts", cuts)
            writer.member("manifest_and_page_bytes", largest)
            writer.member("segment_bytes", segments)
        }
    }

    private func verify(_ writer: inout JSONWriter) throws {
        let store = DatasetStore(objects: try FolderStore(root: folder))
        let began = ProcessUsage.now().clock
        let (versions, problems) = try store.verify(DatasetHistory.project)
        let ended = ProcessUsage.now()
        guard !versions.isEmpty else { throw BenchmarkError("no version in \(folder)") }
        let form = try store.manifest(DatasetHistory.project, id: versions[0])?.formatVersion ?? 0
        guard problems.isEmpty else { throw BenchmarkError("\(problems.count) problems: \(problems[0].text)") }
        writer.object { writer in
            writer.member("form", form)
            writer.member("cuts", versions.count)
            writer.member("s", ended.clock - began)
            writer.member("peak_rss_mb", ended.peakMemory)
        }
    }
}
