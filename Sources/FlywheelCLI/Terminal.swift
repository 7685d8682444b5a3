import Foundation
import Telemetry

/// A number and what it counts: `1 version`, `2 versions`.
func counted(_ count: some BinaryInteger, _ one: String, _ many: String) -> String {
    "\(count) \(count == 1 ? one : many)"
}

/// Where a command speaks to whoever called it. Nothing else of this module prints.
enum Terminal {
    /// Prints text, or JSON, and a line feed unless it ends with one. What foreign text within it would do to the terminal is escaped; that it begins
    /// no line is for those to see to who put it there: `ForeignText.line`.
    static func show(_ text: String) { print(page(text), terminator: text.hasSuffix("\n") ? "" : "\n") }

    /// The text as it is shown.
    static func page(_ text: String) -> String { ForeignText.page(text) }

    /// Clears the screen.
    static func clear() { print("\u{1B}[H\u{1B}[2J", terminator: "") }

    /// Says on standard error what went wrong, or how far something is. Lines after the first are indented, so that no
    /// quoted text can pass for a message of its own.
    static func complain(_ text: String) { FileHandle.standardError.write(Data("\(message(text))\n".utf8)) }

    /// A message as `complain` writes it.
    static func message(_ text: String) -> String {
        "flywheel: " + page(text).split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n  ")
    }
}
