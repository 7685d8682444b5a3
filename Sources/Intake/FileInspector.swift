internal import Dispatch
internal import Glibc
internal import Synchronization

/// Looks at files on a thread of its own: a disk that is far away may not answer for minutes.
final class FileInspector: Sendable {
    /// A question about a file.
    struct Question: Sendable {
        /// Absolute, without `.` and `..`.
        let path: String
        /// Bytes.
        let size: Int64
        /// Folders that it must lie in, links followed; nil: anywhere.
        let folders: [String]?
        /// Folders in which it is looked whether it is there.
        let known: [String]
    }

    /// The answer.
    struct Finding: Hashable, Sendable {
        /// Whether it lies in one of the folders.
        let isInside: Bool
        /// Whether it is there with its size; nil where it could not be looked at.
        let isThere: Bool?
    }

    private let queue = DispatchQueue(label: "flywheel.artifacts", qos: .utility)
    private let isBusy = Atomic(false)
    private let inspect: @Sendable (Question) -> Finding

    init(inspect: @escaping @Sendable (Question) -> Finding = { Finding($0) }) { self.inspect = inspect }

    /// Looks at a file.
    ///
    /// - Parameters:
    ///   - question: What is asked.
    ///   - left: Milliseconds that may pass; less by those that did.
    /// - Returns: Nil where no answer came in time, or an earlier question still waits for its own: then at once.
    func look(_ question: Question, left: inout Int64) -> Finding? {
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent).exchanged else {
            return nil
        }
        let answer = Answer()
        let began = DispatchTime.now()
        queue.async { [self] in
            let finding = inspect(question)
            answer.finding.withLock { $0 = finding }
            isBusy.store(false, ordering: .sequentiallyConsistent)
            answer.isThere.signal()
        }
        let isInTime = answer.isThere.wait(timeout: began + .milliseconds(Int(left))) == .success
        let passed = (DispatchTime.now().uptimeNanoseconds - began.uptimeNanoseconds) / 1_000_000
        left = isInTime ? max(0, left - Int64(clamping: passed)) : 0
        return answer.finding.withLock { $0 }
    }

    /// Outlives who waits for it.
    private final class Answer: Sendable {
        let finding = Mutex<Finding?>(nil)
        let isThere = DispatchSemaphore(value: 0)
    }
}

extension FileInspector.Finding {
    /// Looks at the file. Follows links; a link that leads nowhere, or in a circle, leads out.
    init(_ question: FileInspector.Question) {
        let path: String
        switch RealPath(question.path) {
        case .real(let found): path = found
        case .astray:
            self.init(isInside: question.folders == nil, isThere: nil)
            return
        case .unknown:
            self.init(byNameOf: question)
            return
        }
        func isIn(_ folder: String) -> Bool {
            guard case .real(let folder) = RealPath(folder) else { return false }
            return Self.isPath(path, in: folder)
        }
        let isInside = question.folders?.contains(where: isIn) ?? true
        let isKnown = isInside && question.known.contains { isIn($0) && Self.isFolder($0) }
        self.init(isInside: isInside, isThere: isKnown ? Self.isFile(path, size: question.size) : nil)
    }

    /// Without a look: by the names alone.
    init(byNameOf question: FileInspector.Question) {
        let isInside = question.folders?.contains { Self.isPath(question.path, in: $0) } ?? true
        self.init(isInside: isInside, isThere: nil)
    }

    /// Byte by byte, as the disk does: spellings that Unicode holds to be the same are two folders.
    static func isPath(_ path: String, in folder: String) -> Bool {
        let (path, slash) = (path.utf8, UInt8(ascii: "/"))
        let folder = folder.utf8.last == slash ? folder.utf8.dropLast() : folder.utf8[...]
        guard path.starts(with: folder) else { return false }
        let rest = path.dropFirst(folder.count)
        return rest.isEmpty || rest.first == slash
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Nil where that cannot be told.
    private static func isFile(_ path: String, size: Int64) -> Bool? {
        var status = stat()
        guard stat(path, &status) == 0 else { return errno == ENOENT || errno == ENOTDIR ? false : nil }
        return status.st_mode & S_IFMT == S_IFREG && Int64(status.st_size) == size
    }
}

/// Where a path leads once links are followed. What is not there yet stands behind what is.
enum RealPath: Hashable {
    case real(String)
    /// By a link that leads to nothing, or in a circle.
    case astray
    /// It may not be looked at, or the disk has a fault.
    case unknown

    /// Asks the disk about an absolute path without `.` and `..`.
    init(_ path: String) {
        var head = path[...]
        var tail: [Substring] = []
        while true {
            if let found = realpath(head.isEmpty ? "/" : String(head), nil) {
                defer { free(found) }
                let base = String(cString: found)
                self = .real(tail.isEmpty ? base : (base == "/" ? "" : base) + "/" + tail.joined(separator: "/"))
                return
            }
            let fault = errno
            var status = stat()
            let isLink = lstat(String(head), &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
            guard fault == ENOENT || fault == ENOTDIR, !isLink, let cut = head.lastIndex(of: "/") else {
                self = isLink || fault == ELOOP ? .astray : .unknown
                return
            }
            let name = head[head.index(after: cut)...]
            if !name.isEmpty { tail.insert(name, at: 0) }
            head = head[..<cut]
        }
    }
}
