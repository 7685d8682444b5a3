import Foundation
import Processes

/// A file system of one megabyte, on systems where this process may mount one.
final class SmallDisk {
    let path: String

    init?() {
        path = NSTemporaryDirectory() + "small-disk-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let mounted = try? ChildProcess.run("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path])
        guard mounted?.status.isSuccess == true else {
            try? FileManager.default.removeItem(atPath: path)
            return nil
        }
    }

    deinit {
        _ = try? ChildProcess.run("umount", ["-l", path])
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Fills the disk, or frees its space again.
    func setFull(_ isFull: Bool) {
        let ballast = path + "/ballast"
        if isFull {
            _ = FileManager.default.createFile(atPath: ballast, contents: Data(count: 1_048_576))
        } else {
            try? FileManager.default.removeItem(atPath: ballast)
        }
    }
}
