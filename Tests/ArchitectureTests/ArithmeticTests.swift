import Foundation
import Testing

/// Numbers from records, headers, files and topics are bounded before they are used in arithmetic.
@Suite struct ArithmeticTests {
    /// Modules that read such numbers.
    private static let boundaryModules = [
        "EngineCore", "DatasetFiles", "Intake", "Loop", "Materializer", "Trainer", "DeadLetters", "Imports",
        "Operations",
        "Worker", "Events", "StreamRuntime", "KafkaTransport", "FlywheelCLI", "Console",
    ]

    /// A harmless line that a pattern matches, with the reason why it is harmless.
    private struct Harmless {
        let file: String
        let code: String
        let reason: String

        init(_ file: String, _ code: String, _ reason: String) {
            self.file = file
            self.code = code
            self.reason = reason
        }
    }

    /// Reads of a number without a bound. Codecs read counts with `count`, `count64` and `entryNumber`, or
    /// name a range.
    private static let unbounded =
        #"\.(int|int64|uint64|optionalInt|optionalInt64)\("[a-z_]+"\)|\.informativeMilliseconds\("#
    private static let unboundedReads = [
        Harmless("Loop/PartitionPosition.swift", #"int("v")"#, "compared"),
        Harmless("Loop/PartitionPosition.swift", #"int64("journal_offset")"#, "must equal the group's offset"),
        Harmless("Loop/ProjectPause.swift", #"max(0, try object.int64("next"))"#, "an offset to read from"),
        Harmless("Loop/ProjectPause.swift", #"int64("since_ms")"#, "shown"),
        Harmless("Loop/StateSnapshot.swift", #"int("v")"#, "compared"),
        Harmless("Loop/StateSnapshot.swift", #"int64("state_offset")"#, "within the changelog, or not used"),
        Harmless("Loop/StateSnapshot.swift", #"int64("written_at_ms")"#, "its age saturates"),
        Harmless("Loop/StateStore.swift", #"min(try object.uint64("ticks_written")"#, "bounded here"),
        Harmless("Loop/StateStore.swift", #"int64("last_offset")"#, "compared"),
        Harmless("Loop/TallyFolder.swift", "adding(try object.int64(", "saturates"),
        Harmless("DatasetFiles/DatasetForm.swift", #"int64("format_version")"#, "compared"),
        Harmless("DatasetFiles/DatasetManifest.swift", #"int64("sequence")"#, "compared"),
        Harmless("DatasetFiles/DatasetLine.swift", #"int64("sequence")"#, "compared"),
        Harmless("DatasetFiles/DatasetReader.swift", #"int64("sequence")"#, "compared"),
        Harmless("DatasetFiles/DatasetVerifier.swift", #"int64("sequence")"#, "compared"),
        Harmless("Materializer/VersionDelta.swift", #"int64("sequence")"#, "compared"),
        Harmless("Materializer/FactReader.swift", #"int64("sequence")"#, "only looked for; read with a bound"),
        Harmless("Materializer/WaitingLabels.swift", #"int64("offset")"#, "must equal the file's name"),
        Harmless("Materializer/WaitingLabels.swift", #"int64("from")"#, "as written, by the digest"),
        Harmless("Operations/Explain+Predictions.swift", #"int64("from")"#, "ends of a range, compared"),
        Harmless("Events/Decisions/DatasetLog+JSON.swift", #"optionalInt64("format")"#, "compared"),
        Harmless("Events/Decisions/Evidence+JSON.swift", "try object.int(", "evidence, shown"),
        Harmless("Events/Decisions/Models+JSON.swift", "try object.int(", "priority, shown"),
        Harmless(
            "Events/Inputs/HumanEvents.swift",
            "informativeMilliseconds(",
            "times are believed within bounds, durations clamped"
        ),
        Harmless("Events/Inputs/ImportEvent.swift", "informativeMilliseconds(", "believed within bounds"),
        Harmless("Events/Journal/ImportedLabel+JSON.swift", #"uint64("key")"#, "a hash, compared"),
        Harmless(
            "Events/Journal/ImportedLabel+JSON.swift",
            #"optionalInt64("labeled_at_ms")"#,
            "at most the entry's time"
        ),
        Harmless("Events/Inputs/MachineEvents.swift", "informativeMilliseconds(", "written on, not counted with"),
        Harmless("Events/Inputs/PredictedEvent.swift", "informativeMilliseconds(", "written on, not counted with"),
        Harmless("Events/Journal/PredictedLabels+JSON.swift", #"optionalInt64("duration_ms")"#, "written on"),
        Harmless("Events/Inputs/PredictionEvent.swift", "informativeMilliseconds(", "believed within bounds"),
        Harmless("Events/Journal/JournalEntry+JSON.swift", #"int64("offset")"#, "written on"),
        Harmless("Events/Journal/JournalEntry+JSON.swift", #"uint64("#, "a hash, and a number that is compared"),
        Harmless("Events/Journal/JournalEntry+JSON.swift", #"optionalInt64("duration_ms")"#, "clamped when charged"),
        Harmless("Events/Journal/JournalEntry+JSON.swift", #"try object.int64("#, "tallies, whose sums saturate"),
        Harmless("Events/Vocabulary+JSON.swift", #"int64("size")"#, "written on"),
        Harmless("Events/Vocabulary+JSON.swift", #"optionalInt64("size")"#, "written on"),
    ]

    @Test("Codecs name a bound for every number, or are listed here with the reason why they need none")
    func reads() throws { try check(Self.unbounded, Self.unboundedReads) }

    private static let unboundedForms = #"(Integer|Count)\.any|\bUnsigned\(\)|Int\.max\)"#
    private static let unboundedFields = [
        Harmless(
            "Acquisition/AcquisitionRows+Form.swift",
            "Integer.any",
            "accounts saturate or wrap, whatever they hold"
        ),
        Harmless("Strategies/Stream/StreamRows+Form.swift", "credit", "added to below a limit only"),
        Harmless(
            "Flywheel/ProjectConfiguration+Form.swift",
            "revisions",
            "compared; ProjectDirectory follows a billion at most"
        ),
        Harmless("Vocabulary/Names+Form.swift", "source.text(", "the length of a text, which is checked next"),
        Harmless("Strategies/Stream/StreamRows+Form.swift", "next", "a place in a list, or the first"),
    ]

    private static let reducers = [
        "Acquisition", "Datasets", "Flywheel", "Labeling", "Rollout", "Strategies", "Training", "Vocabulary",
    ]

    @Test("Forms of rows name a bound for every number, too")
    func forms() throws {
        try check(Self.unboundedForms, Self.unboundedFields, in: Self.reducers) { $0.contains("+Form.") }
    }

    /// Sums, products and differences of input numbers, found by the names that such numbers have.
    private static let sums =
        #"\b(attempt|attempts|revision|timestamp|writtenAt|requestedAt|sequence|versionNumber|deaths|entryNumber)(\)| \?\? 0\))? ?(\+|-|\*)=? |[-+*] [a-zA-Z.]*\.(timestamp|writtenAt|requestedAt|sequence|revision|attempt)\b"#
    private static let harmlessSums = [
        Harmless("DeadLetters/Redrive.swift", "attempt", "attempts are at most a million when they are read"),
        Harmless("Loop/LoopProcessor+JournalCatchUp.swift", "pause.deaths += 1", "bounded when it is read"),
        Harmless("Materializer/FactReader.swift", "fact.sequence - 1", "counted from 1"),
        Harmless("Materializer/VersionSealer.swift", "cut.versionNumber - 1", "counted from 1"),
        Harmless("Operations/DecidedTable.swift", "tick.entryNumber - first", "at least first, a line above"),
        Harmless("Operations/ProjectApply.swift", "known.revision + 1", "below the limit, two lines above"),
        Harmless("StreamRuntime/PoisonDetector.swift", "deaths", "bounded when the mark is read"),
        Harmless("StreamRuntime/StreamTask", "attempt += 1", "our own"),
        Harmless("EngineCore/StorageBackoff.swift", "attempts += 1", "our own"),
        Harmless("DeadLetters/RedriveSender.swift", "attempt += 1", "our own"),
    ]

    @Test("No unbounded input number is used in arithmetic, unless it is listed here with the reason")
    func additions() throws { try check(Self.sums, Self.harmlessSums) }

    /// Conversions to narrower integers of input numbers: a value that does not fit traps.
    private static let narrowing = #"\b(U?Int(8|16|32)|UInt(64)?)\((try |Int\(|record\.|header\.|deadLetter\.|find\()"#
    private static let harmlessNarrowing = [
        Harmless("Sources", " in: 0...", "the range fits")
    ]

    @Test("Input numbers are narrowed only within a range")
    func narrowings() throws { try check(Self.narrowing, Self.harmlessNarrowing) }

    private func check(
        _ pattern: String,
        _ harmless: [Harmless],
        in folders: [String] = boundaryModules,
        _ isIncluded: (String) -> Bool = { _ in true }
    ) throws {
        // By default the boundary algorithm treats a name and its member as one word.
        let expression = try Regex(pattern).wordBoundaryKind(.simple)
        var used: Set<Int> = []
        var found = 0
        let paths = folders.flatMap { Repository.files(below: "Sources/\($0)", withExtension: "swift") }
        for path in paths where isIncluded(path) {
            let lines = try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() {
                let code = line.trimmingCharacters(in: .whitespaces)
                guard !code.hasPrefix("//"), code.firstMatch(of: expression) != nil else { continue }
                found += 1
                if let index = harmless.firstIndex(where: { path.contains($0.file) && code.contains($0.code) }) {
                    used.insert(index)
                } else {
                    Issue.record("\(path):\(index + 1) counts on a number from outside: \(code)")
                }
            }
        }
        #expect(found > 0)
        for index in harmless.indices where !used.contains(index) {
            Issue.record("nothing is like \(harmless[index].file): \(harmless[index].code) any more")
        }
    }
}
