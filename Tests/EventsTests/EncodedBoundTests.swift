import Events
import JSON
import Statistics
import Testing
import Vocabulary

@Suite("The length of a sample in JSON")
struct EncodedBoundTests {
    /// A text of the given length in bytes: plain, or of quotes, control characters or two-byte characters.
    private func text(_ bytes: Int, _ kind: Int) -> String {
        let unit = ["a", "\"", "\u{1}", "é"][kind]
        return String(repeating: unit, count: bytes / unit.utf8.count)
    }

    @Test("A sample never exceeds its bound, and a request with the largest samples fits into a record")
    func bound() throws {
        var generator = SplitMix64(seed: 3)
        var largest = 0
        for number in 0..<400 {
            let (kind, other) = (generator.next(below: 4), generator.next(below: 4))
            let entries = (0..<generator.next(below: SampleMetadata.entryLimit + 1)).map {
                SampleMetadata.Entry(key: "k\($0)" + text(50, kind), value: text(256, other))
            }
            let content: Content? =
                switch generator.next(below: 3) {
                case 0: nil
                case 1: .uri(text(Content.longestURI, kind))
                default: .inline(mediaType: text(100, other), text: text(Content.inlineLimit, kind))
                }
            let size = [1, 64, 4_096][generator.next(below: 3)]
            let sample = Sample(
                id: SampleID("s\(number)" + text(200, other)),
                content: content,
                embedding: number % 3 == 0 ? nil : (0..<size).map { _ in Float(generator.nextNormal() * 1e30) },
                metadata: SampleMetadata(entries) ?? .none,
                space: SpaceID(text(256, kind)),
                group: number % 2 == 0 ? GroupID(text(256, kind)) : nil
            )
            #expect(sample.jsonBytes.count <= sample.encodedBound)
            largest = max(largest, sample.jsonBytes.count)
        }
        // A request always has room for two samples, however large they are.
        #expect(largest > 100_000 && 2 * (RecordLimits.sample + 4_096 * 6) < 900_000)
    }
}
