import StreamRuntime
import Testing

@Suite struct StreamRuntimeExamples {
    @Test("Metadata is stored as a note")
    func note() {
        let note = OffsetMetadata.few(from: 40, until: 44).note
        let metadata = OffsetMetadata(note)
        let unknown = OffsetMetadata("asleep")
        #expect(note == "few 40 44")
        #expect(metadata == .few(from: 40, until: 44))
        #expect(unknown == nil)
    }
}
