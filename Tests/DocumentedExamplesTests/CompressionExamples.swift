import Compression
import Testing

@Suite struct CompressionExamples {
    @Test("A text is packed, measured and unpacked")
    func frame() throws {
        let text = [UInt8](repeating: 7, count: 10_000)
        let frame = try text.withUnsafeBytes { try Zstd.pack($0) }
        let size = try Zstd.size(of: frame)
        let unpacked = try Zstd.unpack(frame, maximumSize: 1 << 20)
        #expect(frame.count < 100)
        #expect(size == 10_000)
        #expect(unpacked == text)
    }
}
