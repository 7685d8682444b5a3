internal import Dispatch
internal import Glibc
internal import Synchronization

/// Checks files on a thread of its own: a remote disk may not answer for minutes.
final class FileInspector: Sendable {
    /// A question about a file.
    struct Question: Sendable {
        /// Absolute, without `.` and `..`.
        let path: String
        /// Bytes.
        let size: Int64
        /// Folders that must contain the file, with links followed; nil: any folder.
        let folders: [String]?
        /// Folders in which the existence of the file is checked.
        let checkedFolders: [String]
    }

    /// Answer to a question about a file.
    struct Finding: Hashable, Sendable {
        /// Whether the file is in one of the folders.
        let isInside: Bool
        /// Whether the file exists with its size; nil if it could not be checked.
        let exists: Bool?
    }

    private let queue = DispatchQueue(label: "flywheel.artifacts", qos: .utility)
    private let isBusy = Atomic(false)
    private let inspect: @Sendable (Question) -> Finding

    init(inspect: @escaping @Sendable (Question) -> Finding = { Finding($0) }) { self.inspect = inspect }

    /// Checks a file.
    ///
    /// - Parameters:
    ///   - question: The question about the file.
    ///   - left: Milliseconds that may pass; reduced by the time that has passed.
    /// - Returns: Nil if no answer arrived in time; nil immediately if an earlier question is still unanswered.
    func inspect(_ question: Question, left: inout Int64) -> Finding? {
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent).exchanged else {
            return nil
        }
        let answer = Answer()
        let began = DispatchTime.now()
        queue.async { [self] in
            let finding = inspect(question)
            answer.finding.withLock { $0 = finding }
            isBusy.store(false, ordering: .sequentiallyConsistent)
            answer.arrival.signal()
        }
        let isInTime = answer.arrival.wait(timeout: began + .milliseconds(Int(left))) == .success
        let passed = (DispatchTime.now().uptimeNanoseconds - began.uptimeNanoseconds) / 1_000_000
        left = isInTime ? max(0, left - Int64(clamping: passed)) : 0
        return answer.finding.withLock { $0 }
    }

    /// Answer of the queue; it may outlive the caller that waits for it.
    private final class Answer: Sendable {
        let finding = Mutex<Finding?>(nil)
        let arrival = DispatchSemaphore(value: 0)
    }
}

extension FileInspector.Finding {
    /// Checks the file. Links are followed; a link without a target, or in a circle, counts as outside of the folders.
    init(_ question: FileInspector.Question) {
        let path: String
        switch RealPath(question.path) {
        case .real(let found): path = found
        case .brokenLink:
            self.init(isInside: question.folders == nil, exists: nil)
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
        let isKnown = isInside && question.checkedFolders.contains { isIn($0) && Self.isFolder($0) }
        self.init(isInside: isInside, exists: isKnown ? Self.isFile(path, size: question.size) : nil)
    }

    /// Creates the answer without access to the disk: by the names alone.
    init(byNameOf question: FileInspector.Question) {
        let isInside = question.folders?.contains { Self.isPath(question.path, in: $0) } ?? true
        self.init(isInside: isInside, exists: nil)
    }

    /// Returns whether a path is in a folder, compared byte by byte, as the disk does: spellings that Unicode considers
    /// equal are two folders.
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

    /// Returns whether a file of the size exists; nil if this cannot be determined.
    private static func isFile(_ path: String, size: Int64) -> Bool? {
        var status = stat()
        guard stat(path, &status) == 0 else { return errno == ENOENT || errno == ENOTDIR ? false : nil }
        return status.st_mode & S_IFMT == S_IFREG && Int64(status.st_size) == size
    }
}

/// Target of a path after links are followed. Components that do not exist yet are appended to those that exist.
enum RealPath: Hashable {
    case real(String)
    /// The path contains a link without a target, or a circle of links.
    case brokenLink
    /// The path may not be accessed, or the disk has a fault.
    case unknown

    /// Resolves an absolute path without `.` and `..` on the disk.
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
                self = isLink || fault == ELOOP ? .brokenLink : .unknown
                return
            }
            let name = head[head.index(after: cut)...]
            if !name.isEmpty { tail.insert(name, at: 0) }
            head = head[..<cut]
        }
    }
}
