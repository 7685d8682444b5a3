public import Statistics

/// Fault found without a trap.
public struct FuzzFault: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// Code under test that reads external input, and receives invalid input.
///
/// The input of an iteration follows from its generator alone. It is written to the recorder before it is read, so that
/// it is available after a trap.
public protocol FuzzTarget: AnyObject {
    /// Name of the target, as on the command line.
    var name: String { get }
    /// Share of the time that the target receives, relative to the others.
    var weight: Double { get }

    /// Creates an input, and passes it to the tested code.
    ///
    /// - Throws: `FuzzFault` or any other error when a law does not hold.
    func run(_ generator: inout SplitMix64, _ recorder: InputRecorder, _ outcomes: inout FuzzOutcomes) throws

    /// Passes a recorded input to the tested code.
    ///
    /// - Throws: As `run`; `FuzzFault` also if the steps cannot be read.
    func replay(_ steps: [JSONTree], _ outcomes: inout FuzzOutcomes) throws
}

/// Number of times that each outcome was reached, by kind and name: it shows how deep a run went.
public struct FuzzOutcomes: Hashable, Sendable {
    public private(set) var counts: [String: [String: Int]] = [:]

    public init() {}

    public mutating func add(_ kind: String, _ name: String, _ count: Int = 1) {
        guard count > 0 else { return }
        counts[kind, default: [:]][name, default: 0] += count
    }

    public mutating func merge(_ other: FuzzOutcomes) {
        for (kind, names) in other.counts { for (name, count) in names { add(kind, name, count) } }
    }

    public subscript(kind: String, name: String) -> Int { counts[kind]?[name] ?? 0 }

    /// The counts as JSON, sorted by name.
    public var tree: JSONTree {
        .object(
            counts.sorted { $0.key < $1.key }.map { kind, names in
                JSONTree.Member(
                    kind,
                    .object(names.sorted { $0.key < $1.key }.map { JSONTree.Member($0.key, .word(String($0.value))) })
                )
            }
        )
    }

    /// Reads the counts from JSON as in `tree`; other JSON counts nothing.
    public init(_ tree: JSONTree?) {
        guard case .object(let kinds)? = tree else { return }
        for kind in kinds {
            guard case .object(let names) = kind.value else { continue }
            for name in names {
                let words = [kind.key, name.key].map { String(decoding: $0, as: UTF8.self) }
                add(words[0], words[1], name.value.int ?? 0)
            }
        }
    }
}
