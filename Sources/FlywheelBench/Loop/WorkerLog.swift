import Foundation
import JSON
import Processes

/// Log of a worker, read while it is written.
struct WorkerLog {
    let file: URL

    /// Waits until a message is logged, and returns the numbers logged with it.
    func wait(for message: String, _ worker: borrowing ChildProcess, seconds: Double) throws -> [String: Int64] {
        let deadline = ProcessUsage.now().clock + seconds
        while ProcessUsage.now().clock < deadline {
            if let fields = try find(message) { return fields }
            guard worker.exitStatus == nil else { throw BenchmarkError("the worker ended; see \(file.path)") }
            usleep(2_000)
        }
        throw BenchmarkError("the worker did not say \"\(message)\" within \(Int(seconds)) s; see \(file.path)")
    }

    /// Returns the numbers logged with a message; nil if the message was not logged.
    func find(_ message: String) throws -> [String: Int64]? {
        guard let text = try? Data(contentsOf: file) else { return nil }
        let parser = JSONParser()
        // The last line may be incomplete.
        for line in text.split(separator: UInt8(ascii: "\n")) where text.last == UInt8(ascii: "\n") {
            let found: [String: Int64]? = try parser.withDocument(of: Array(line)) { json in
                let object = try json.object()
                guard try object.string("message") == message else { return nil }
                var fields: [String: Int64] = [:]
                for member in object where member.value.kind == .number {
                    fields[member.name] = try? member.value.int64()
                }
                return fields
            }
            if let found { return found }
        }
        return nil
    }
}
