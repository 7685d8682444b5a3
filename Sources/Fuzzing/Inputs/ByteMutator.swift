public import Statistics

/// Changes bytes without knowing what they mean.
public enum ByteMutator {
    private static let pieces: [[UInt8]] =
        [
            "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "null", "1", "-", " ", "\n", "\r\n", "\t", "#", "&a", "*a",
            "!t", "---\n", "? ", "|", ">", "%", "@@@",
        ]
        .map { Array($0.utf8) } + [
            [0xEF, 0xBB, 0xBF], [0], [0xFF], [0x80], [0xC3], [0xE2, 0x80, 0xAE], [0xF0, 0x9F],
        ]

    /// Changes the bytes at one to four positions: they are cut, flipped, inserted, repeated, removed, or nested 10,000
    /// deep.
    public static func mutate(_ bytes: inout [UInt8], _ generator: inout SplitMix64) {
        for _ in 0...generator.size(below: 4) {
            let index = generator.next(below: bytes.count + 1)
            switch generator.next(below: 8) {
            case 0: bytes.removeLast(generator.size(below: bytes.count + 1))
            case 1 where index < bytes.count: bytes[index] ^= 1 << UInt8(generator.next(below: 8))
            case 2 where index < bytes.count: bytes[index] = UInt8(generator.next(below: 256))
            case 3, 4: bytes.insert(contentsOf: generator.pick(pieces), at: index)
            case 5:
                let end = min(bytes.count, index + generator.size(below: 64))
                bytes.removeSubrange(index..<end)
            case 6:
                let piece = bytes[index..<min(bytes.count, index + generator.size(below: 64))]
                var copy: [UInt8] = []
                for _ in 0..<generator.size(below: 200) { copy += piece }
                bytes.insert(contentsOf: copy, at: index)
            default:
                guard generator.chance(0.1) else { continue }
                let isObject = generator.chance(0.5)
                var deep: [UInt8] = []
                for _ in 0..<10_000 { deep += isObject ? Array("{\"a\":".utf8) : [UInt8(ascii: "[")] }
                bytes.insert(contentsOf: deep, at: index)
            }
        }
    }
}
