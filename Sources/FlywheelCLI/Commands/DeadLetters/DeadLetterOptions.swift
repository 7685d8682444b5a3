import Arguments
import DeadLetters
import EngineCore
import Events
import Foundation
import Processes

/// The options that select dead letters.
enum DeadLetterOptions {
    static let all: [OptionSpecification] = [
        .option("project", "NAME", help: "select dead letters whose value names this project"),
        .repeated("code", "CODE", help: "select dead letters with this code; see docs/reference/reasons.md"),
        .repeated("topic", "NAME", help: "select dead letters from this topic, given with or without the prefix"),
        .option("since", "TIME", help: "written at this time or later: 2026-01-31T12:00:00Z, or 90m, 2h, 3d ago"),
        .option("until", "TIME", help: "written before this time"),
        .repeated("at", "PARTITION/OFFSET", help: "select the dead letter at this position, as `list` prints it"),
    ]

    static func filter(_ arguments: ParsedArguments, _ topics: TopicNames) throws -> DeadLetterFilter {
        var filter = DeadLetterFilter()
        filter.project = arguments.string("project")
        for code in arguments.strings("code") {
            guard DeadLetterFilter.knownCodes.contains(code) else {
                let known = DeadLetterFilter.knownCodes.joined(separator: ", ")
                throw arguments.failure("--code: no dead letter has the code \"\(code)\"; there are \(known)")
            }
            filter.codes.insert(code)
        }
        for name in arguments.strings("topic") {
            guard let topic = DeadLetterFilter.topic(name, topics) else {
                let known = DeadLetterFilter.topics.map(\.rawValue).joined(separator: ", ")
                throw arguments.failure("--topic: no dead letter comes from \"\(name)\"; there are \(known)")
            }
            filter.origins.insert(topic)
        }
        filter.since = try time("since", arguments)
        filter.until = try time("until", arguments)
        if let since = filter.since, let until = filter.until, since >= until {
            throw arguments.failure("--since must be earlier than --until")
        }
        for text in arguments.strings("at") {
            guard let position = DeadLetterPosition(text) else {
                throw arguments.failure("--at: expected PARTITION/OFFSET, found \"\(text)\"")
            }
            filter.positions.insert(position)
        }
        return filter
    }

    /// The time that an option states, as a time or as an age, in milliseconds since 1970; nil if the option was not
    /// given.
    static func time(_ name: String, _ arguments: ParsedArguments) throws -> Int64? {
        guard let text = arguments.string(name) else { return nil }
        let units: [Character: Int64] = ["s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        if let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
            (0...100_000).contains(count)
        {
            return WallClock.now() - count * unit
        }
        if let date = try? Date(text, strategy: .iso8601), date.timeIntervalSince1970.magnitude < 0x1p43 {
            return Int64((date.timeIntervalSince1970 * 1_000).rounded())
        }
        throw arguments.failure("--\(name): expected a time such as 2026-01-31T12:00:00Z or 2h, found \"\(text)\"")
    }
}
