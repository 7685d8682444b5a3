import Foundation
import Synchronization
import Telemetry

/// Returns a number with its noun: `1 version`, `2 versions`.
func counted(_ count: some BinaryInteger, _ one: String, _ many: String) -> String {
    "\(count) \(count == 1 ? one : many)"
}

/// Describes a text that is not the expected one, on one line and shortened if it is long: `found "x"`.
func found(_ text: some StringProtocol) -> String { "found \"\(ForeignText.line(String(text), limit: 80))\"" }

/// Output of a command to its caller. Nothing else in this module prints.
enum Terminal {
    /// Prints text, or JSON, and a line feed unless it ends with one. Characters that would control the terminal are
    /// escaped; a caller that inserts foreign text uses `ForeignText.line`, so that this text cannot begin a line.
    static func show(_ text: String) { emit(page(text) + (text.hasSuffix("\n") ? "" : "\n")) }

    /// First reason why standard output could not be written; nil if there is none. A closed reader is not an error.
    static var failure: String? { failed.withLock { $0 } }

    private static let failed = Mutex<String?>(nil)

    /// Writes at once: with a buffer, a later failure would go unnoticed.
    private static func emit(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count >= 0 {
                bytes.removeFirst(count)
            } else if errno != EINTR {
                let reason = errno == EPIPE ? nil : String(cString: strerror(errno))
                failed.withLock { $0 = $0 ?? reason }
                return
            }
        }
    }

    /// The text as it is shown.
    static func page(_ text: String) -> String { ForeignText.page(text) }

    /// Clears the screen.
    static func clear() { emit("\u{1B}[H\u{1B}[2J") }

    /// Prints an error or the progress to standard error. Lines after the first are indented, so that no quoted text
    /// can be mistaken for a message of its own.
    static func complain(_ text: String) { FileHandle.standardError.write(Data("\(message(text))\n".utf8)) }

    /// A message as `complain` writes it.
    static func message(_ text: String) -> String {
        "flywheel: " + page(text).split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n  ")
    }
}
