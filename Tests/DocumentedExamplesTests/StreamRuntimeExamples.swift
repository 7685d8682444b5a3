import StreamRuntime
import Testing

@Suite struct StreamRuntimeExamples {
    @Test("Metadata is stored as text")
    func metadataText() {
        let text = OffsetMetadata.few(from: 40, until: 44).text
        let metadata = OffsetMetadata(text)
        let unknown = OffsetMetadata("asleep")
        #expect(text == "few 40 44")
        #expect(metadata == .few(from: 40, until: 44))
        #expect(unknown == nil)
    }
}
