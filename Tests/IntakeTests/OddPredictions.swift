import PipelineTesting
import Statistics
import Vocabulary

/// Predictions of `Scenario.project` with an irregularity: broken JSON in places that are not read, members of
/// unexpected types, and unusual but valid input.
enum OddPredictions {
    /// JSON values, and texts that are not JSON. Depths are counted from the root of a record.
    static let values: [String] = scalars + lists + objects + nested

    private static let scalars: [String] = [
        "@@@", "tru", "true", "truee", "false", "fals", "null", "nul", "nulll", "NaN", "Infinity", "'a'", "", ",",
        ":",
        "1", "-1", "0", "-0", "01", "-01", "1.", ".5", "1.5", "-", "+1", "1e", "1e5", "1E-5", "1e+05", "1e400",
        "-1e400",
        "1e-400", "1e005", "0x10", "1 2", "1,", "1\u{0}", "0.5\u{0}", "true\u{0}", "null\u{0}", "1\u{1}", "1x",
        "1\"b\"",
        "\"b\"1", "0.1\"b\"", "0.12345678", "0.123456789", "0.03456789255142212", "0.1234567890123456789012345",
        "0.12345678x", "0.1234567891234567x", "1.2e-05", "-3.5e+10", "1e39", "-1e39", "3.4028236e38", "1e38",
        "-1e-17", "-0.0000001", "-2.2e-8", "-1e-6", "-0.000001", "-1.1e-6", "-0.0000011", "-0.0", "-1e-400",
        "1.0000001",
        "1.01", "1.0099999", "1.02",
        "123456789012345678", "1234567890123456789", "12345678901234567890", "123456789012345678901234567890",
        "-12345678901234567890",
        #""""#, #""a""#, #""a" "b""#, #""a""b""#, #""\x""#, #""\"#, #""\u12""#, #""\u12g4""#, #""\u0041""#,
        #""\u0000""#,
        #""\n\t\r\b\f\/\\\"""#, #""\ud83d\ude00""#, #""\ud83d""#, #""\ude00""#, #""\ud83dx""#, #""\ud83d\u0041""#,
        #""\udBFF\uDFFF""#, "\"\u{7F}\"", "\"\u{85}\"", "\"\u{202E}\"", "\"\u{1}\"", "\"a\nb\"", "\"é\"",
        "\"e\u{301}\"", "\"東京 שלום 한\"", "\"\u{1112}\u{1161}\"", "\"\u{212B}\"", "\"क़\"",
        "\"\u{10FFFF}\"",
        #""champion""#, #""challenger""#, #""Champion""#, #""choice""#, #""e1""#, #""e2""#,
        "1767225600000", "1767225600000.0", "1.7672256e12", "17672256000000000", "5", text(#"n"#, 257),
        "\(many("9", 310)).0", "\(many("9", 190)).0e99",
    ]

    private static let lists: [String] = [
        "[]", "[ ]", "[1]", "[1,2]", "[1,2.5]", "[1 2]", "[1,]", "[,1]", "[,]", "[1", "[}", "[1}", "[[1],[2]]",
        "[[1][2]]",
        "[:1]", "[1:2]", "[\"a\"]", "[null]", "[0.5,null]", "[0.5,\"a\"]", "[1,tru]", "[0.5 ,\t-0.25 ]", "[1e39]",
        "[0.12345678,-0.03456789255142212]", "[1,2,3]", "[-1e-7,1E2]", "[40,40]", "[0.9,0.8]", "[100000,1]",
        "[0.1\u{0},1]", "[0.1,1\u{0}]", "[01,1]", "[-,1]", "[0.,1]", "[12345678901234567890,1]", "[[1,2]]",
        "[\(many("0.5,", 4_095))1]", "[\(many("0.5,", 4_096))1]",
    ]

    private static let objects: [String] = [
        "{}", "{ }", #"{"a":1}"#, #"{"a" : 1 , "b":[] }"#, #"{"a"}"#, #"{"a":}"#, #"{"a" 1}"#, #"{"a":1,}"#, "{,}",
        "{1:2}",
        #"{a:1}"#, #"{"a":1"b":2}"#, #"{"a":1 "b":2}"#, #"{"a":1]"#, #"{"a":1"#, #"{"a"x:1}"#, #"{x"a":1}"#,
        #"{"a":1}}"#,
        #"{"\u0061":1}"#, #"{"\x":1}"#, #"{"a":1,"a":2}"#, #"{"a":"b","a":"c"}"#, #"{"a":"b","\u0061":"c"}"#,
        #"{"":"b"}"#, #"{"a":"b","c":"d"}"#, #"{"a":null}"#, #"{"a":7,"b":true,"c":-1.5e3,"d":false,"e":null}"#,
        #"{"a":1234567890123456789012,"b":0.1}"#, #"{"a":{"b":1},"c":[2]}"#, #"{"a":1,"a":"c"}"#, #"{"a":01}"#,
        #"{"a":truth}"#, "{\"a\":\(text("é", 200))}", "{\"é\":\"b\",\"e\u{301}\":\"c\"}",
        "{\"K\":\"b\",\"\u{212A}\":\"c\"}",
        #"{"a":"\n\u00e9"}"#, #"{"a":"\x"}"#, "{\"a\":\(text("v", 257))}", "{\"a\":\(text(#"\n"#, 200))}",
        "{\(text("k", 65)):\"b\"}", members(16, "\"v\""), members(17, "\"v\""), members(40, "1"),
        #"{"kind":"uri","uri":"s3://a/b"}"#, #"{"kind":"uri"}"#, #"{"kind":"uri","uri":""}"#,
        #"{"kind":"uri","uri":17}"#,
        "{\"kind\":\"uri\",\"uri\":\(text("u", 2_049))}", #"{"kind":"url","uri":"a"}"#,
        #"{"uri":"a","kind":"uri","more":[1,{"a":tru}]}"#, #"{"uri":"a","kind":"uri","more":[1,{"a":true}]}"#,
        #"{"kind":"uri","kind":"inline","uri":"a"}"#, #"{"kind":"uri","uri":"a","uri":7}"#,
        #"{"kind":"inline","media_type":"text/plain","data":"a\nb"}"#, #"{"kind":"inline","data":"a"}"#,
        #"{"kind":"inline","media_type":7,"data":"a"}"#, #"{"kind":"inline","media_type":"t","data":"\q"}"#,
        "{\"kind\":\"inline\",\"media_type\":\"t\",\"data\":\(text("d", 16_385))}",
        "{\"kind\":\"inline\",\"media_type\":\"t\",\"data\":\(text(#"\u0041"#, 16_384))}",
        "{\"kind\":\"inline\",\"media_type\":\(text("m", 220_000)),\"data\":\"d\"}",
        #"{"kind":"float32","data":"AACAPwAAAEA="}"#, #"{"kind":"float32","data":"AACAPwAAAEB="}"#,
        #"{"kind":"float32","data":"AACAPwAAAEA"}"#, #"{"kind":"float32","data":"AACAPw=="}"#,
        #"{"kind":"float32","data":""}"#,
        #"{"kind":"float32","data":"AACAfwAAAEA="}"#, #"{"kind":"float32","data":"AADAfw=="}"#,
        #"{"kind":"float32","data":"A*CAPw=="}"#,
        #"{"kind":"float32","data":"AACAPwAA"}"#, #"{"kind":"float64","data":"AACAPw=="}"#, #"{"data":"AACAPw=="}"#,
        #"{"kind":"float32","data":"AACAPwAAAEA=","kind":7,"x":[tru]}"#, #"{"kind":"float32","data":"AAB6RQAAekU="}"#,
        #"{"kind":"float32","data":"====","x":1}"#, #"{"kind":"float32","data":"AACAPwAAAE=="}"#,
        #"{"kind":"float32","data":"AA\/APw=="}"#,
    ]

    private static let nested: [String] = (57...66).flatMap { depth -> [String] in
        let (open, close) = (many("[", depth), many("]", depth))
        return [open + close, "\(open)1\(close)", many(#"{"a":"#, depth) + "1" + many("}", depth)]
    }

    private static func many(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

    private static func text(_ part: String, _ count: Int) -> String { "\"\(many(part, count))\"" }

    private static func members(_ count: Int, _ value: String) -> String {
        "{" + (0..<count).map { "\"k\($0)\":\(value)" }.joined(separator: ",") + "}"
    }

    private static let probabilities = #"{"circle":0.9,"square":0.05,"star":0.05}"#

    private static func record(
        _ top: String = "",
        sample: String = "",
        model: String = "",
        output: String = "",
        id: String = #""id":"s""#
    ) -> String {
        """
        {"project":"\(Scenario.project)"\(top),"sample":{\(id)\(sample)},"model":{"version":"v"\(model)},\
        "output":{"kind":"choice","probabilities":\(probabilities)\(output)}}
        """
    }

    /// Positions of a value in a record, each with the member that precedes it.
    private static let contexts: [@Sendable (String) -> String] = [
        { record(",\"x\":\($0)") },
        { record(",\"x\":[0,{\"y\":\($0),\"z\":1}]") },
        { record(",\"x\":[\($0)]") },
        { record(",\"x\": \($0) ") },
        { record(",\"x\":1,\"x\":\($0)") },
        { record(",\"predicted_at_ms\":\($0)") },
        { record(",\"project\":\($0)") },
        { record(sample: ",\"x\":\($0)") },
        { record(sample: ",\"id\":\($0)") },
        { record(sample: ",\"content\":\($0)") },
        { record(sample: ",\"content\" : \($0) ") },
        { record(sample: ",\"metadata\":\($0)") },
        { record(sample: ",\"metadata\": \($0),\"space\":\"e1\"") },
        { record(sample: ",\"metadata\":{\"a\":\($0)}") },
        { record(sample: ",\"embedding\":\($0)") },
        { record(sample: ",\"embedding\":\($0),\"embedding\":[1]") },
        { record(sample: ",\"space\":\"e1\",\"embedding\":\($0)") },
        { record(sample: ",\"embedding\":[0.25,\($0)]") },
        { record(sample: ",\"embedding\":[0.25, \($0) ]") },
        { record(sample: ",\"embedding\":[0.25,-0.5],\"space\":\($0)") },
        { record(sample: "", id: "\"id\":\($0)") },
        { record(model: ",\"name\":\($0)") },
        { record(model: ",\"variant\":\($0)") },
        { record(model: ",\"role\":\($0)") },
        { record(model: ",\"version\":\($0)") },
        { record(model: ",\"x\":\($0)") },
        { record(output: ",\"remainder\":\($0)") },
        { record(output: ",\"x\":\($0)") },
        { record(output: ",\"kind\":\($0)") },
        { record(",\"score\":\($0)") },
        { record(",\"logits\":\($0)") },
        { record(",\"members\":\($0)") },
        { record(",\"specversion\":\($0)") },
        { record(",\"data\":\($0)") },
        { "{\"x\":\($0)}" }, { $0 }, { "\($0)\(record())" }, { "\(record())\($0)" }, { "\(record(",\"x\":")) \($0)" },
        { record().replacing("0.9", with: $0) },
        { record().replacing("0.05,\"star\":0.05", with: "0.1,\"star\":\($0)") },
        { record().replacing("0.05}", with: "0.05},\"remainder\":\($0)") },
        { record().replacing("\"circle\"", with: $0) },
        { record().replacing("\"model\"", with: $0) }, { record().replacing("\"version\"", with: $0) },
    ]

    private static let wholeRecords: [String] = [
        "\(record())\u{0}", "\(record()) \n", " \t\(record())", "", "\u{0}", " ", record() + record(),
        "\u{FEFF}\(record())",
        String(record().dropLast()), String(record().dropFirst()),
        record(#","\u0070roject":"other""#), record().replacing("project", with: #"\u0070roject"#),
        record(sample: #","\u0065mbedding":7"#), record(sample: #","\u0065mbedding":[1,2,3]"#),
        #"{"specversion":"1.0","id":"1","source":"s","type":"t","data":\#(record())}"#,
        #"{"specversion":"1.0","id":"1","source":"s","data":\#(record(#","x":@"#)),"y":2}"#,
    ]

    /// Bytes in a string that is never read.
    private static let bytes: [[UInt8]] = [
        [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0xC3, 0xA9],
    ]

    /// All of them, each in a record of its own.
    static var all: [[UInt8]] {
        var records: [[UInt8]] = []
        for (index, context) in contexts.enumerated() {
            // Long values only where a limit may apply: in content, metadata and embedding.
            for value in values where value.utf8.count < 10_000 || (9...16).contains(index) {
                records.append(Array(context(value).utf8))
            }
        }
        for text in wholeRecords { records.append(Array(text.utf8)) }
        for bytes in bytes {
            records.append(Array(#"\#(record().dropLast()),"x":""#.utf8) + bytes + Array(#""}"#.utf8))
        }
        return records
    }

    /// Valid records in the usual forms, which must therefore be judged without being parsed.
    static let usual: [String] = [
        record(), record(",\"trace\":[\"a\",{\"b\":null,\"c\":-1.5e-3}],\"ok\":true,\"n\":12"),
        record(sample: #","content":{"kind":"inline","media_type":"text/plain","data":"a \"quote\"\nand é\u00e9"}"#),
        record(sample: #","content":{"kind":"uri","uri":"s3://bucket/key","size":17}"#),
        record(sample: #","metadata":{"country":"de","shop":"a\/b","lane":""}"#),
        record(sample: ",\"metadata\":{ \"country\" : \"de\" , \"shop\":\"x\" }"),
        record(sample: #","embedding":[0.03456789255142212,-1.25e-05],"space":"e1""#),
        record(sample: #","space":"e1","embedding":{"kind":"float32","data":"AACAPwAAAEA="}"#),
        record(sample: ",\"embedding\":[ 0.5 , -0.25 ]"), record(sample: #","embedding":[1,-2]"#),
        record(sample: #","embedding":null,"metadata":null,"content":null,"space":null"#),
        record(model: #","name":"shop\/model","variant":null,"role":"challenger","commit":"abc""#),
        record(sample: #","metadata":{"line":7,"checked":true,"weight":-0.5,"shop":"x","none":null}"#),
        record().replacing("0.05}", with: "-1e-17}").replacing("0.05,", with: "0.1,"),
        record(output: ",\"remainder\":-2.8e-17"),
        record(output: ",\"remainder\":0,\"calibrated\":true"), record(",\"predicted_at_ms\":1700000000000"),
    ]

    /// A usual record, corrupted at one to three positions.
    static func spoilt(using generator: inout SplitMix64) -> [UInt8] {
        var bytes = Array(usual[generator.next(below: usual.count)].utf8)
        let punctuation = Array("{}[]:,\"\\ 0a-e.nu\n\u{0}\u{1}".utf8) + [0xC3, 0xFF]
        for _ in 0...generator.next(below: 3) {
            let at = generator.next(below: bytes.count)
            switch generator.next(below: 5) {
            case 0: bytes.remove(at: at)
            case 1: bytes[at] = punctuation[generator.next(below: punctuation.count)]
            case 2: bytes.insert(punctuation[generator.next(below: punctuation.count)], at: at)
            case 3: bytes.insert(bytes[generator.next(below: bytes.count)], at: at)
            default: bytes.swapAt(at, generator.next(below: bytes.count))
            }
        }
        return bytes
    }
}
