internal import Foundation
internal import JSON

/// A participant's ledger: a file with one JSON object a line, which the demo reads.
final class ParticipantLog {
    private let handle: FileHandle?

    init(path: String?) {
        guard let path else {
            handle = nil
            return
        }
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        handle = FileHandle(forWritingAtPath: path)
        _ = try? handle?.seekToEnd()
    }

    func write(_ event: String, _ body: (inout JSONWriter) -> Void = { _ in }) {
        guard let handle else { return }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("event", event)
            body(&writer)
        }
        try? handle.write(contentsOf: Data(writer.bytes + [0x0A]))
    }
}
