import Arguments
import Events
import Flywheel
import Foundation
import JSON
import Rollout
import Tables
import Vocabulary

/// `flywheel-bench rollout`: weeks of a rollout by steps on the state that the worker runs; the worker is killed
/// between entries and restored from its rows.
struct RolloutBenchmark {
    static let specification = CommandSpecification(
        "rollout",
        summary: "a rollout by steps, killed between any two entries",
        options: [
            .option("days", "N", help: "of the rollout", defaultValue: "14"),
            .option("steps", "N", help: "of the rollout, 1 to 8", defaultValue: "3"),
            .option(
                "kills",
                "N|all",
                help: "restores from rows, evenly spaced; all: after every entry",
                defaultValue: "all"
            ),
            .option("voices-per-hour", "N", help: "feedback", defaultValue: "12"),
            .option("buckets", "N", help: "that users fall into", defaultValue: "4096"),
            .option("seed", "N", help: "of users and labels", defaultValue: "1"),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )

    private let kills: Int?
    private let plan: RolloutPlan

    init(_ arguments: ParsedArguments) throws {
        let text = arguments.string("kills") ?? "all"
        if text == "all" {
            kills = nil
        } else {
            guard let count = Int(text), count >= 0 else {
                throw arguments.failure("--kills \(text): expected all, or a number of restores")
            }
            kills = count
        }
        plan = RolloutPlan(
            days: try arguments.int("days", in: 1...365) ?? 14,
            steps: try arguments.int("steps", in: 1...8) ?? 3,
            voicesPerHour: try arguments.int("voices-per-hour", in: 1...10_000) ?? 12,
            buckets: try arguments.int("buckets", in: 1...RolloutState.maximumBuckets) ?? 4_096,
            seed: UInt64(try arguments.int("seed", in: 0...Int.max / 2) ?? 1)
        )
    }

    /// Simulates the run twice, and prints the results.
    func run(printsJSON: Bool) throws {
        let result = try result()
        print(printsJSON ? result.json : result.text)
        guard result.isEqual else {
            throw BenchmarkError("a life with kills ended in another state, or decided otherwise")
        }
    }

    /// Runs the simulated life undisturbed, then again with kills.
    func result() throws -> RolloutResult {
        var life = RolloutLife(plan)
        life.run()
        let journal = life.journal
        var result = RolloutResult(entries: journal.count)
        result.record(life)
        var rows = RowStore()
        var state = life.initial
        try rows.storeRows(of: state)
        let spacing = kills.map { $0 == 0 ? Int.max : max(1, journal.count / $0) } ?? 1
        for (number, entry) in journal.enumerated() {
            let decided = state.apply(entry.entry, appendedAt: entry.appendedAt)
            if decided != entry.decisions { result.isEqual = false }
            try rows.storeChanges(of: &state)
            guard (number + 1) % spacing == 0, number + 1 < journal.count else { continue }
            // The state in memory is lost.
            state = try rows.restored(state.project)
            result.kills += 1
        }
        var end = RowStore()
        try end.storeRows(of: life.state)
        if rows != end { result.isEqual = false }
        result.stateBytes = rows.bytes
        return result
    }
}

/// The changelog of one project: its newest rows.
struct RowStore: Equatable {
    private var rows: [String: [UInt8]] = [:]

    /// Bytes of keys and values.
    var bytes: Int { rows.reduce(0) { $0 + $1.key.utf8.count + $1.value.count } }

    /// Stores the changed rows of a state, and commits it.
    mutating func storeChanges(of state: inout ProjectState) throws {
        for change in state.changes() { rows["\(change.table)/\(change.key)"] = change.value }
        state.commit()
    }

    /// Stores all rows.
    mutating func storeRows(of state: ProjectState) throws {
        state.forEachRow { rows["\($0.table)/\($0.key)"] = $0.value }
    }

    /// Returns a state restored from these rows.
    func restored(_ project: ProjectID) throws -> ProjectState {
        var state = ProjectState(project: project)
        let parser = JSONParser()
        for (name, value) in rows {
            guard let slash = name.firstIndex(of: "/") else { continue }
            let (table, key) = (name[..<slash], String(name[name.index(after: slash)...]))
            let isKnown = try parser.withDocument(of: value) { json in
                try Array(table.utf8).withUnsafeBytes { try state.restore($0, key, json) }
            }
            guard isKnown else { throw BenchmarkError("no table is called \(table)") }
        }
        return state
    }
}

/// Result of a rollout.
struct RolloutResult {
    let entries: Int
    var kills = 0
    var isEqual = true
    var stateBytes = 0
    private(set) var transitions: [String] = []
    private(set) var paused: [RolloutPause: Int] = [:]
    private var labelTime = CallTime()
    private var voiceTime = CallTime()

    /// Total time and number of calls.
    struct CallTime {
        var seconds = 0.0
        var count = 0
        mutating func add(_ more: Double) {
            seconds += more
            count += 1
        }

        var microseconds: Double { count == 0 ? 0 : (seconds * 1e8 / Double(count)).rounded() / 100 }
    }

    init(entries: Int) { self.entries = entries }

    mutating func record(_ life: RolloutLife) {
        (labelTime, voiceTime) = (life.labelTime, life.voiceTime)
        for decision in life.journal.lazy.flatMap(\.decisions) {
            if case .transition(let step, _) = decision.body {
                let reason = step.reason.map { ": \($0)" } ?? ""
                transitions.append("\(step.version) \(step.from?.rawValue ?? "new") \(step.to.rawValue)\(reason)")
            }
            if case .release(let release) = decision.body, let pause = release.staging?.pause {
                paused[pause, default: 0] += 1
            }
        }
    }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("entries", entries)
            writer.member("kills", kills)
            writer.member("state_equal", isEqual)
            writer.array("transitions", of: transitions)
            writer.key("paused")
            writer.object { writer in
                for pause in RolloutPause.allCases {
                    writer.key(named: pause.rawValue)
                    writer.value(paused[pause] ?? 0)
                }
            }
            writer.member("state_bytes", stateBytes)
            writer.member("label_us", labelTime.microseconds)
            writer.member("voice_us", voiceTime.microseconds)
        }
        return writer.text
    }

    var text: String {
        """
        entries      \(entries), killed after \(kills) of them: \(isEqual ? "the same bytes" : "OTHER BYTES")
        transitions  \(transitions.joined(separator: "\n             "))
        state        \(stateBytes) bytes
        a label      \(labelTime.microseconds) µs
        a voice      \(voiceTime.microseconds) µs
        """
    }
}
