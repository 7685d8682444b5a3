public import Statistics

/// Values at which readers go wrong: numbers at the ends of types, texts that are long or strange.
public enum Extremes {
    /// Numbers as JSON writes them, and some that it does not.
    public static let numbers: [String] =
        [
            "0", "-0", "-0.0", "1", "-1", "2", "0.5", "1.0", "1e0", "1E+2", "0.1e-6", "1e-320", "5e-324", "1e308",
            "-1e308", "1.7976931348623157e308", "1.7976931348623159e308", "3.4028235e38", "-3.4e38", "1e39", "1e-45",
            "127", "128", "255", "256", "9999", "10000", "10001", "20000", "65535", "65536", "1000000", "1000000000",
            "1000000001", "2147483647", "2147483648", "-2147483648", "4294967295", "4294967296", "9007199254740991",
            "9007199254740992", "9007199254740993", "-9007199254740993", "9223372036854775806", "9223372036854775807",
            "9223372036854775808", "-9223372036854775807", "-9223372036854775808", "-9223372036854775809",
            "18446744073709551615", "18446744073709551616", "1e18", "1e19", "9.3e18", "946684799999", "946684800000",
            "1700000000000", "1700086400001", "253402300799999", "253402300800000", "0.30000000000000004",
            "0.99999999999999999", "1.00000000000000001",
        ] + broken + [
            "0." + String(repeating: "0", count: 400) + "1", String(repeating: "9", count: 400),
            "0." + String(repeating: "3", count: 30), "1e" + String(repeating: "0", count: 40) + "1",
        ]

    /// Texts that are no numbers in JSON, or none that a `Double` can hold.
    private static let broken = [
        "1e999", "-1e999", "NaN", "Infinity", "-Infinity", "0x10", "01", "1.", "+1", ".5", "1e", "1_000", "--1", "-",
        "tru", "nul", "True", "@@@",
    ]

    /// Numbers as headers, options and paths may contain them.
    public static let words: [String] =
        numbers + ["", " ", " 1", "1 ", "１", "١", "1e9", "0b1", "-", "+", "\u{0}", "9223372036854775807\n"]

    /// Characters as they are written between quotes: plain, escaped, unusual, and invalid ones.
    public static let characters: [[UInt8]] =
        [
            "x", "7", " ", "/", "\\\"", "\\\\", "\\/", "\\n", "\\u0000", "\\u0001", "\\u001b[31m", "\\u007f", "\\u0085",
            "\\u2028", "\\u202e", "\\ud83d\\ude00", "\\ud800", "\\udc00", "\\ud800\\ud800", "\\u00", "\\x", "\\",
            "\u{7F}", "\u{85}", "\u{9B}31m", "\u{2028}", "\u{202E}", "\u{2066}", "\u{200B}", "\u{FEFF}", "\u{FFFD}",
            "\u{FFFF}", "\u{10FFFF}", "\u{1F600}", "e\u{301}", "\u{301}", "é", "ß", "İ", "ﬃ", "\t", "\n", "\u{0}",
            "\u{1}",
            "<script>", "../", "%00", "${x}", "'; --",
        ].map { Array($0.utf8) } + [
            [0xC3, 0x28], [0xFF], [0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC0, 0x80],
        ]

    /// Ids with a special meaning elsewhere, or of unusual length.
    public static let ids: [String] = [
        "", ".", "..", "../../x", "/", "/etc/passwd", "a/b", "a\\b", "con", "-", "--help", "0", "shapes", "shapes-1-0",
        "shapes-9223372036854775807-0", "shapes-18446744073709551616-0", "*", "%", "?", "#", "a b", "__proto__", "null",
        String(repeating: "i", count: 255), String(repeating: "i", count: 256), String(repeating: "i", count: 257),
        String(repeating: "é", count: 128), String(repeating: "e\u{301}", count: 90),
    ]

    /// Returns a text as it is written between quotes, usually a short one; at most about `limit` bytes.
    public static func text(_ generator: inout SplitMix64, limit: Int = 300_000) -> [UInt8] {
        var bytes: [UInt8] = []
        if generator.chance(0.3) {
            let character = generator.pick(characters)
            let count = max(1, generator.size(below: max(2, limit / character.count)))
            bytes.reserveCapacity(count * character.count)
            for _ in 0..<count { bytes += character }
            return bytes
        }
        for _ in 0..<generator.size(below: 40) { bytes += generator.pick(characters) }
        return bytes
    }
}
