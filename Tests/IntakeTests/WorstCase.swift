import PipelineTesting
import Statistics
import StreamRuntime

/// Makes records that stay within every limit of Intake and are as large as possible when they are written.
struct WorstCase {
    private var generator: SplitMix64
    private let classes: [String]
    /// Characters in their JSON spelling: control characters, quotes, long and plain ones.
    private static let characters = [#"\u0001"#, #"\""#, #"\\"#, #"\u001f"#, #"\n"#, "\u{1F600}", "é", "x"]
    private static let recordLimit = 262_144

    init(seed: UInt64, classes: [String]) {
        generator = SplitMix64(seed: seed)
        self.classes = classes
    }

    private mutating func below(_ end: Int) -> Int { generator.next(below: end) }

    /// A JSON string whose decoded form has at most `limit` bytes.
    private mutating func text(decoded limit: Int) -> String {
        let character = Self.characters[below(Self.characters.count)]
        let size = character.hasPrefix(#"\"#) ? 1 : character.utf8.count
        return "\"" + String(repeating: character, count: limit / size) + "\""
    }

    /// A name, as a JSON string, without control characters.
    private mutating func name(_ limit: Int = 256, _ number: Int) -> String {
        let character = [#"\""#, #"\\"#, "\u{1F600}", "n"][below(4)]
        let size = character.hasPrefix(#"\"#) ? 1 : character.utf8.count
        let prefix = "\(number)-"
        return "\"" + prefix + String(repeating: character, count: (limit - prefix.utf8.count) / size) + "\""
    }

    /// A record filled up to the limit by repeating one character between `before` and `after`.
    private mutating func filled(_ before: String, _ after: String) -> [UInt8] {
        let character = Self.characters[below(Self.characters.count)]
        let left = Self.recordLimit - before.utf8.count - after.utf8.count
        return Array((before + String(repeating: character, count: max(0, left) / character.utf8.count) + after).utf8)
    }

    /// Any record of `predictions`.
    mutating func prediction(_ number: Int, isFilled: Bool) -> [UInt8] {
        var metadata: [String] = []
        for key in 0..<16 {
            let value = text(decoded: 256)
            metadata.append(name(64, key) + ":" + value)
        }
        let id = name(256, number)
        let data = text(decoded: 16_384)
        var sample = #"{"id":\#(id),"metadata":{\#(metadata.joined(separator: ","))}"#
        if below(2) == 0 {
            let digit = ["0", "-1e-30", "3e38"][below(3)]
            sample += #","embedding":[\#(Array(repeating: digit, count: 4_096).joined(separator: ","))]"#
        }
        let isInline = isFilled || below(3) > 0
        let uri = text(decoded: 2_048)
        sample +=
            isInline
            ? #","content":{"kind":"inline","data":\#(data),"media_type":""#
            : #","content":{"kind":"uri","uri":\#(uri)}}"#
        let output = output()
        let end = (isInline ? #""}}"# : "") + output + "}"
        let begin = #"{"project":"shapes","sample":"# + sample
        return isFilled ? filled(begin, end) : Array((begin + end).utf8)
    }

    private mutating func output() -> String {
        guard below(2) == 0 else { return "" }
        let count = min(classes.count, 1 + below(900))
        let each = 1 / Double(count)
        let probabilities = classes.suffix(count).map { "\"\($0)\":\(each)" }.joined(separator: ",")
        let version = name(256, 1)
        return #","model":{"version":\#(version)},"output":{"kind":"choice","probabilities":{\#(probabilities)}}"#
    }

    /// A record of people or programs that the journal keeps unchanged.
    mutating func journalRecord(_ number: Int) -> (topic: Int, value: [UInt8]) {
        let (a, b) = (name(256, number), name(256, number + 1))
        switch below(5) {
        case 0:
            return (0, filled(#"{"project":"shapes","task":\#(a),"annotator":\#(b),"outcome":"flag","note":""#, #""}"#))
        case 1:
            return (
                1,
                filled(#"{"project":"shapes","request":\#(a),"trial":0,"repeat":0,"status":"failed","error":""#, #""}"#)
            )
        case 2:
            let positions = Array(repeating: "9999", count: 20_000).joined(separator: ",")
            let uri = "file:///" + String(repeating: "x", count: 1_016)
            let artifact = #"{"uri":"\#(uri)","size":\#(Int64.max),"sha256":"\#(String(repeating: "f", count: 64))"}"#
            let result =
                #"{"project":"shapes","request":\#(a),"trial":9999,"repeat":9999,"status":"finished","artifact":\#(artifact),"#
                + #""predictions":{"kind":"choice","classes":[\#(positions)]},"note":""#
            return (1, filled(result, #""}"#))
        case 3:
            return (2, filled(#"{"project":"shapes","id":\#(a),"action":"hold","by":\#(b),"reason":""#, #""}"#))
        default:
            return (
                2,
                filled(
                    #"{"project":"shapes","id":\#(a),"action":"roll_back","model_version":\#(b),"reason":"","by":""#,
                    #""}"#
                )
            )
        }
    }

    /// No header, one header, or the maximum of 256, which together have nearly the maximum of 65,536 bytes.
    mutating func headers() -> [RecordHeader] {
        let count = [0, 1, 256][below(3)]
        guard count > 0 else { return [] }
        let each = (65_536 - 64) / count
        let isName = below(2) == 0
        let character = ["\u{1}", "\"", "x"][below(3)]
        return (0..<count).map { _ in
            isName
                ? RecordHeader(String(repeating: character, count: each), [UInt8]())
                : RecordHeader("", [UInt8](repeating: 0xFF, count: each))
        }
    }
}
