import Arguments
import Foundation
import Hashing
import JSON
import Loop

/// `flywheel-bench loop`: the cost of the loop without the broker, over a long life of one project.
struct LoopBenchmark {
    static let specification = CommandSpecification(
        "loop",
        summary: "entries a second of the loop's reducer, with its codecs and digests, over a project's life",
        options: [
            .option("days", "N", help: "of a project's life", defaultValue: "365"),
            .option("votes", "N", help: "answers a day", defaultValue: "1000"),
            .flag("json", help: "one JSON value on standard output"),
        ]
    )

    private let days: Int
    private let votes: Int

    init(_ arguments: ParsedArguments) throws {
        days = try arguments.int("days", in: 1...10_000) ?? 365
        votes = try arguments.int("votes", in: 1...100_000) ?? 1_000
    }

    func run(printsJSON: Bool) throws {
        var year = ProjectYear(dailyVotes: votes)
        try year.configure()
        // Seconds and entries at the end of each tenth of the time.
        var marks: [(entries: Int, seconds: Double)] = [(0, 0)]
        for day in 1...days {
            try year.simulateDay()
            if day == days * marks.count / 10 { marks.append((year.entries, year.seconds)) }
        }
        let costs = zip(marks, marks.dropFirst()).map { before, after in
            (after.seconds - before.seconds) / Double(max(1, after.entries - before.entries)) * 1e6
        }
        let rate = Double(year.entries) / year.seconds
        if printsJSON {
            print(json(year, rate, costs))
        } else {
            print(
                String(
                    format:
                        "%d days, %d answers, %d entries (%.0f bytes each), %d decisions: %.1f s, %.0f entries/s",
                    days,
                    year.votes,
                    year.entries,
                    Double(year.bytes) / Double(year.entries),
                    year.decisions,
                    year.seconds,
                    rate
                )
            )
            let text = costs.map { String(format: "%.2f", $0) }.joined(separator: " ")
            print("µs an entry, by tenths of the time: \(text)")
            for (kind, cost) in year.costs.sorted(by: { $0.value.nanoseconds > $1.value.nanoseconds }) {
                let mean = Double(cost.nanoseconds) / 1e3 / Double(cost.entries)
                print(
                    "\(kind.padding(toLength: 16, withPad: " ", startingAt: 0))"
                        + String(format: "%9d entries %9.2f µs each", cost.entries, mean)
                )
            }
            print("chain \(year.project.chain.digest)")
        }
    }

    private func json(_ year: ProjectYear, _ rate: Double, _ costs: [Double]) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("days", days)
            writer.member("votes", year.votes)
            writer.member("entries", year.entries)
            writer.member("decisions", year.decisions)
            writer.member("seconds", (year.seconds * 1_000).rounded() / 1_000)
            writer.member("entries_per_s", rate.rounded())
            writer.array("us_per_entry", of: costs.map { ($0 * 100).rounded() / 100 })
            writer.object("kinds") { writer in
                for kind in year.costs.keys.sorted() {
                    guard let cost = year.costs[kind] else { continue }
                    writer.key(named: kind)
                    writer.object { writer in
                        writer.member("entries", cost.entries)
                        let mean = Double(cost.nanoseconds) / 1e3 / Double(cost.entries)
                        writer.member("us_per_entry", (mean * 100).rounded() / 100)
                    }
                }
            }
            writer.member("chain", year.project.chain.digest.hex)
            writer.member("peak_memory_mb", ProcessUsage.now().peakMemory.rounded())
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
