internal import Glibc

/// The system calls behind a store.
enum FileSystem {
    static var currentFolder: String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func makeFolder(_ path: String) throws(StorageError) {
        if exists(path) { return }
        var made = ""
        for part in path.split(separator: "/") {
            made += "/" + part
            if mkdir(made, 0o755) != 0, errno != EEXIST { throw StorageError("make folder", made, errno: errno) }
        }
    }

    static func read(_ path: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError("open", path, errno: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StorageError("read", path, errno: errno) }
        guard status.st_size <= maximumSize else {
            throw StorageError("read", path, reason: "expected at most \(maximumSize) bytes, found \(status.st_size)")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw StorageError("read", path, errno: count < 0 ? errno : EIO) }
            filled += count
        }
        return bytes
    }

    static func writeDurably(_ path: String, _ bytes: [UInt8]) throws(StorageError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw StorageError("create", path, errno: errno) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let number = count < 0 ? errno : EIO
                close(descriptor)
                unlink(path)
                throw StorageError("write", path, errno: number)
            }
            written += count
        }
        let synced = fsync(descriptor)
        let number = errno
        close(descriptor)
        guard synced == 0 else {
            unlink(path)
            throw StorageError("make durable", path, errno: number)
        }
    }

    static func syncFolder(_ path: String) throws(StorageError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError("open folder", path, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StorageError("make durable", path, errno: errno) }
    }
}

/// `file:` URIs (RFC 8089).
public enum FileURI {
    /// The URI of an absolute path; what is no letter, digit or one of `/-._~` is percent-encoded.
    public static func text(_ path: String) -> String {
        var text = "file://"
        for byte in path.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2F, 0x2D, 0x2E, 0x5F, 0x7E:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }

    /// The absolute path that a URI names; nil unless it is a local `file:` URI.
    public static func path(_ uri: String) -> String? {
        guard uri.hasPrefix("file:///") else { return nil }
        var bytes: [UInt8] = []
        var rest = uri.utf8.dropFirst("file://".utf8.count)
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16), value != 0
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Reads the file that a URI names, of at most `maximumSize` bytes.
    public static func read(_ uri: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        guard let path = path(uri) else {
            throw StorageError("read", String(uri.prefix(200)), reason: "expected a file: URI of an absolute path")
        }
        return try FileSystem.read(path, maximumSize: maximumSize)
    }
}
