import Compression
import Statistics
import Testing

@Suite("Frames of zstd")
struct ZstdTests {
    private func text(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next() % 7 + 60) }
    }

    private func pack(_ text: [UInt8], level: Int = Zstd.defaultLevel) throws -> [UInt8] {
        try text.withUnsafeBytes { buffer in try Zstd.pack(buffer, level: level) }
    }

    @Test("Bytes of any length are unpacked as they were packed, at every level")
    func roundTrip() throws {
        for count in [0, 1, 2, 100, 65_536, 1_000_003] {
            let text = text(count, seed: UInt64(count))
            let frame = try pack(text)
            #expect(try Zstd.unpack(frame, maximumSize: count) == text)
            #expect(try Zstd.size(of: Array(frame.prefix(Zstd.headSize))) == count)
            #expect(frame.count <= Zstd.bound(count))
            #expect(count < 1_000 || frame.count < count * 2 / 3)
        }
        let text = text(20_000, seed: 1)
        for level in [-5, 1, 19, 400] { #expect(try Zstd.unpack(pack(text, level: level), maximumSize: .max) == text) }
        #expect(Zstd.bound(.max) == .max && Zstd.bound(-1) >= 0)
    }

    @Test("A frame that states a larger size than allowed is refused before anything is unpacked")
    func bomb() throws {
        let frame = try pack([UInt8](repeating: 0, count: 50 << 20))
        #expect(frame.count < 10_000)
        for size in [0, 1, 50 << 20 - 1] {
            let error = #expect(throws: ZstdError.self) { try Zstd.unpack(frame, maximumSize: size) }
            #expect(error?.kind == .tooLarge)
        }
        // The frame states a small size and contains a large one: the header of another frame precedes its body.
        var forged = frame
        for index in 5..<9 { forged[index] = 0 }
        let error = #expect(throws: ZstdError.self) { try Zstd.unpack(forged, maximumSize: 1 << 20) }
        #expect(error != nil)
    }

    @Test("Bytes other than one whole frame are refused: cut off, changed, two frames, or no frame at all")
    func damage() throws {
        let text = text(5_000, seed: 3)
        let frame = try pack(text)
        for count in 0..<frame.count where count < 30 || count % 97 == 0 {
            #expect(throws: ZstdError.self) { try Zstd.unpack(Array(frame.prefix(count)), maximumSize: 1 << 20) }
        }
        var survived = 0
        for index in frame.indices where index < 30 || index % 31 == 0 {
            var other = frame
            other[index] ^= 1
            // The checksum detects a difference in any byte of the text; a bit without meaning may be flipped.
            if let unpacked = try? Zstd.unpack(other, maximumSize: 1 << 20) {
                #expect(unpacked == text, "\(index)")
                survived += 1
            }
        }
        #expect(survived < 3)
        #expect(throws: ZstdError.self) { try Zstd.unpack(frame + frame, maximumSize: 1 << 20) }
        #expect(throws: ZstdError.self) { try Zstd.unpack(frame + [0], maximumSize: 1 << 20) }
        for bytes in [[], [0], Array("{\"sequence\":1}\n".utf8), [0x28, 0xB5, 0x2F, 0xFD]] as [[UInt8]] {
            let error = #expect(throws: ZstdError.self) { try Zstd.unpack(bytes, maximumSize: 1 << 20) }
            #expect(error?.kind == .damaged, "\(bytes)")
            #expect(throws: ZstdError.self) { try Zstd.size(of: bytes) }
        }
    }
}
