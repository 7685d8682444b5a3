import EngineCore
import Foundation
import Telemetry

/// Files that a command is given to read.
enum InputFile {
    /// Reads a whole file.
    ///
    /// - Throws: `EngineError` that names the path and says why it cannot be read.
    static func contents(of path: String) throws(EngineError) -> [UInt8] {
        guard !isFolder(path), let data = FileManager.default.contents(atPath: path) else { throw fault(of: path) }
        return [UInt8](data)
    }

    /// Opens a file for reading; `-` is the standard input.
    ///
    /// - Throws: `EngineError` that names the path and says why it cannot be read.
    static func open(_ path: String) throws(EngineError) -> FileHandle {
        if path == "-" { return .standardInput }
        guard !isFolder(path), let handle = FileHandle(forReadingAtPath: path) else { throw fault(of: path) }
        return handle
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    private static func fault(of path: String) -> EngineError {
        let action = "read \(ForeignText.line(path, limit: 1_024))"
        if path.isEmpty { return EngineError(action, "the path is empty") }
        if isFolder(path) { return EngineError(action, "expected a file, found a folder") }
        // Opened again only to determine the reason.
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        let reason = descriptor < 0 ? String(cString: strerror(errno)) : "its content could not be read"
        if descriptor >= 0 { close(descriptor) }
        return EngineError(action, reason)
    }
}
