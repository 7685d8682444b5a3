/// Line of a segment that is to be written: one label.
package struct SegmentLine {
    /// Sequence number, in the dataset log, of the fact that produced the line.
    package let sequence: Int64
    /// UTF-8 JSON with its line feed.
    package let bytes: [UInt8]

    package init(sequence: Int64, bytes: [UInt8]) {
        self.sequence = sequence
        self.bytes = bytes
    }
}
