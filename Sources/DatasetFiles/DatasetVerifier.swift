internal import EngineCore
internal import Events
internal import Hashing
internal import JSON
internal import Storage
internal import Vocabulary

/// Checks whether versions of a project are whole, that is, whether `DatasetReader` would read each to its end. Each
/// file is read once, however many versions share it.
///
/// Memory: about 400 bytes for each page and file of all versions, and 4 bytes for each reference to one in a page or a
/// manifest of form 1; about 80 bytes per tombstone; about 50 bytes per label; one segment.
struct DatasetVerifier {
    /// Content of a page: the files and pages it names, and the problems of reading it.
    private struct Page {
        var files: [Int32] = []
        var pages: [DatasetPageReference] = []
        var problems: [String] = []
        /// Index of the last checked version that names it.
        var seenBy = -1
    }

    /// A file of labels or tombstones, by its reference. A file with two different references counts as two.
    private struct File {
        let entry: DatasetEntry
        /// Whether a page names it: its lines are then in order, and of its split.
        var isPaged = false
        var problems: [String] = []
        /// Problems that count only for versions in which a page names the file.
        var pagedProblems: [String] = []
        /// Numbers of the first and the last line of labels; nil while they are not known.
        var lines: ClosedRange<Int64>?
        /// Positions in `withdrawals` of the lines that a file of tombstones withdraws.
        var withdrawals: [Int] = []
        /// Index of the last checked version that names it.
        var seenBy = -1
    }

    /// A line that some version withdraws.
    private struct Withdrawal {
        let sequence: Int64
        /// Indices of the files that contain the line.
        var files: [Int] = []
        /// Index of the last checked version that withdraws it.
        var seenBy = -1
    }

    /// A version with the pages and files that it names.
    private struct Version {
        let id: DatasetVersionID
        let isPaged: Bool
        var counts: [Split: Int] = [:]
        var pages: [DatasetPageReference] = []
        var files: [Int32] = []
    }

    private let store: DatasetStore
    private let project: ProjectID
    private let parser = JSONParser(maximumDepth: 64, maximumSize: DatasetForm.lineSize)
    private var pages: [DatasetPageReference: Page] = [:]
    private var files: [File] = []
    /// Indices in `files`, by digest: nearly always one.
    private var positions: [String: [Int]] = [:]
    private var withdrawals: [Withdrawal] = []
    private var withdrawalOf: [Int64: Int] = [:]
    private var versions: [Version] = []
    private var samples = SampleLines()

    package init(_ store: DatasetStore, _ project: ProjectID) {
        self.store = store
        self.project = project
    }

    /// Adds a version; its pages are read now and its files later.
    ///
    /// - Throws: `StorageError` if the store is unavailable.
    mutating func add(_ manifest: DatasetManifest) throws {
        var version = Version(id: manifest.id, isPaged: manifest.formatVersion > 1)
        for segment in manifest.segments { version.files.append(add(DatasetEntry(segment), isPaged: false)) }
        let versionFiles = store.files(of: manifest)
        for page in manifest.pages { try add(page, versionFiles) }
        if version.isPaged {
            version.pages = manifest.pages
            for split in Split.allCases { version.counts[split] = manifest.count(of: split) }
        }
        versions.append(version)
    }

    private mutating func add(_ entry: DatasetEntry, isPaged: Bool) -> Int32 {
        let known = positions[entry.sha256]?.first { files[$0].entry == entry }
        let position = known ?? files.count
        if known == nil {
            positions[entry.sha256, default: []].append(position)
            files.append(File(entry: entry))
        }
        if isPaged { files[position].isPaged = true }
        return Int32(clamping: position)
    }

    private mutating func add(_ reference: DatasetPageReference, _ versionFiles: DatasetFiles) throws {
        guard pages[reference] == nil else { return }
        var page = Page()
        do {
            switch try versionFiles.page(reference, parser).content {
            case .files(let entries):
                for entry in entries { page.files.append(add(entry, isPaged: true)) }
            case .pages(let references):
                page.pages = references
                for reference in references { try add(reference, versionFiles) }
            }
        } catch let error as StorageError where !error.isRemote {
            page.problems.append(Self.text(error, "page", try versionFiles.objectName(reference.path)))
        } catch let error as EngineError {
            page.problems.append(error.description)
        }
        pages[reference] = page
    }

    /// The problems of every added version, in the order in which the versions were added.
    ///
    /// - Throws: `StorageError` if the store is unavailable.
    mutating func problems() throws -> [VersionProblem] {
        for index in files.indices where files[index].entry.kind == .tombstones { try readTombstones(index) }
        for index in files.indices where files[index].entry.kind == .labels { try readLabels(index) }
        var all: [VersionProblem] = []
        for versionIndex in versions.indices {
            for text in problems(of: versionIndex) {
                all.append(VersionProblem(version: versions[versionIndex].id, versionNumber: nil, text: text))
            }
        }
        return all
    }

    // MARK: - Files

    private func objectName(_ entry: DatasetEntry) -> String {
        "\(project)\(DatasetEntry.path(entry.kind, entry.sha256).dropFirst("../..".count))"
    }

    /// Describes why a file cannot be read.
    private static func text(_ error: StorageError, _ kind: String, _ name: String) -> String {
        error.kind == .notFound ? "\(kind) \(name) is missing" : "\(kind) \(name) cannot be read: \(error.reason)"
    }

    /// The bytes of a file; otherwise its problem is recorded. A file that cannot be read does not prevent the check of
    /// the others.
    private mutating func bytes(_ fileIndex: Int, _ kind: String) throws -> [UInt8]? {
        let entry = files[fileIndex].entry
        let name = objectName(entry)
        do throws(StorageError) {
            if try store.objects.isLink(name) { files[fileIndex].problems.append("\(kind) \(name) is a symbolic link") }
            // A packed file unpacks to no more than its stated size, or than a small limit if that is greater.
            let bytes = try store.objects.read(name, maximumSize: max(entry.size, 64 << 20))
            if SHA256Digest(of: bytes).hex != entry.sha256 {
                // Whatever else is wrong with it follows from that.
                files[fileIndex].problems.append("\(kind) \(name) has another digest")
                return nil
            } else if bytes.count != entry.size {
                files[fileIndex].problems.append("\(kind) \(name) has \(bytes.count) bytes, not \(entry.size)")
            }
            if let problem = try store.problemOfCopy(entry, name) {
                files[fileIndex].problems.append("\(kind) \(problem)")
            }
            return bytes
        } catch {
            guard !error.isRemote else { throw error }
            files[fileIndex].problems.append(Self.text(error, kind, name))
            return nil
        }
    }

    private mutating func readTombstones(_ fileIndex: Int) throws {
        guard let bytes = try bytes(fileIndex, "file"), files[fileIndex].problems.isEmpty else { return }
        let entry = files[fileIndex].entry
        var tombstones = Tombstones()
        do throws(EngineError) {
            try tombstones.append(bytes, entry, file: objectName(entry))
        } catch {
            files[fileIndex].problems.append(error.description)
            return
        }
        for sequence in tombstones.sequences {
            let index = withdrawalOf[sequence] ?? withdrawals.count
            if index == withdrawals.count {
                withdrawalOf[sequence] = index
                withdrawals.append(Withdrawal(sequence: sequence))
            }
            files[fileIndex].withdrawals.append(index)
        }
    }

    private mutating func readLabels(_ fileIndex: Int) throws {
        guard let bytes = try bytes(fileIndex, "segment"), !bytes.isEmpty || files[fileIndex].entry.records > 0 else {
            return
        }
        let (entry, path) = (files[fileIndex].entry, objectName(files[fileIndex].entry))
        var (number, last): (Int, Int64) = (0, 0)
        var first: Int64?
        var fault: String?
        var pagedFault: String?
        try bytes.withUnsafeBytes { buffer in
            try enumerateLines(of: buffer) { line in
                number += 1
                guard fault == nil else { return }
                do throws(JSONError) {
                    let object = try parser.parse(line).object()
                    try DatasetForm.check(line: object)
                    recordLocation(object, fileIndex)
                    guard files[fileIndex].isPaged, pagedFault == nil else { return }
                    switch Self.sequence(of: object, after: last, entry) {
                    case .success(let sequence):
                        (first, last) = (first ?? sequence, sequence)
                        if !withdrawals.isEmpty, let index = withdrawalOf[sequence] {
                            withdrawals[index].files.append(fileIndex)
                        }
                    case .failure(let error):
                        pagedFault = "segment \(path) line \(number): \(DatasetForm.reason(error))"
                    }
                } catch {
                    fault = "segment \(path) line \(number): \(DatasetForm.reason(error))"
                }
            }
        }
        if number != entry.records {
            files[fileIndex].problems.append("segment \(path) holds \(number) labels, not \(entry.records)")
        }
        if let fault { files[fileIndex].problems.append(fault) }
        if let pagedFault { files[fileIndex].pagedProblems.append(pagedFault) }
        guard let first, fault == nil, pagedFault == nil else { return }
        files[fileIndex].lines = first...max(first, last)
        if let range = entry.sequences, first...max(first, last) != range {
            files[fileIndex].pagedProblems.append(
                "segment \(path) holds lines \(first) to \(last), not \(range.lowerBound) to \(range.upperBound)"
            )
        }
    }

    private mutating func recordLocation(_ object: JSONObject, _ fileIndex: Int) {
        guard let sample = try? object.object("sample").string("id"), let split = files[fileIndex].entry.split else {
            return
        }
        let sequence = (try? object.int64("sequence")) ?? 0
        samples.add(sample, SampleLines.Location(file: Int32(clamping: fileIndex), sequence: sequence, split: split))
    }

    /// Returns the sequence number of a line in a segment that a page names, or the error in that line.
    private static func sequence(
        of object: JSONObject,
        after last: Int64,
        _ entry: DatasetEntry
    ) -> Result<Int64, JSONError> {
        Result { () throws(JSONError) in
            let sequence = try object.int64("sequence")
            guard sequence > last else { throw object.failure("sequence", "expected more than \(last)") }
            guard try object.string("split") == entry.split?.rawValue else {
                throw object.failure("split", "expected \(entry.split?.rawValue ?? "none")")
            }
            return sequence
        }
    }

    // MARK: - Versions

    /// Findings of one traversal of the pages of a version.
    private struct Walk {
        var validCounts: [Split: Int] = [:]
        /// The number of the last line, by split.
        var last: [Split: Int64] = [:]
        var tombstones: [Int] = []
        var problems: [String] = []
    }

    private mutating func problems(of versionIndex: Int) -> [String] {
        let version = versions[versionIndex]
        guard version.isPaged else {
            for fileIndex in version.files { files[Int(fileIndex)].seenBy = versionIndex }
            let problems = version.files.flatMap { files[Int($0)].problems }
            return problems + [samples.problem { files[Int($0.file)].seenBy == versionIndex }].compactMap { $0 }
        }
        var walk = Walk()
        for page in version.pages { visit(page, versionIndex, &walk) }
        for index in walk.tombstones { withdraw(index, versionIndex, &walk) }
        guard walk.problems.isEmpty else { return walk.problems }
        var problems: [String] = []
        for split in Split.allCases where walk.validCounts[split] ?? 0 != version.counts[split] ?? 0 {
            problems.append(
                "\(walk.validCounts[split] ?? 0) \(split) labels remain, its manifest counts \(version.counts[split] ?? 0)"
            )
        }
        let mixed = samples.problem { line in
            files[Int(line.file)].seenBy == versionIndex
                && withdrawalOf[line.sequence].map { withdrawals[$0].seenBy != versionIndex } ?? true
        }
        return problems + [mixed].compactMap { $0 }
    }

    private mutating func visit(_ reference: DatasetPageReference, _ versionIndex: Int, _ walk: inout Walk) {
        guard let page = pages[reference] else { return }
        guard page.seenBy != versionIndex else {
            return walk.problems.append("page \(reference.sha256) is named twice")
        }
        pages[reference]?.seenBy = versionIndex
        walk.problems += page.problems
        for below in page.pages { visit(below, versionIndex, &walk) }
        for fileIndex in page.files.lazy.map(Int.init) {
            walk.problems += files[fileIndex].problems
            walk.problems += files[fileIndex].pagedProblems
            guard let split = files[fileIndex].entry.split else {
                walk.tombstones += files[fileIndex].withdrawals
                continue
            }
            files[fileIndex].seenBy = versionIndex
            walk.validCounts[split] = (walk.validCounts[split] ?? 0).adding(files[fileIndex].entry.records)
            guard let lines = files[fileIndex].lines else { continue }
            if lines.lowerBound <= walk.last[split] ?? 0 {
                walk.problems.append(
                    "segment \(objectName(files[fileIndex].entry)) begins with line \(lines.lowerBound), although it follows line \(walk.last[split] ?? 0)"
                )
            }
            walk.last[split] = lines.upperBound
        }
    }

    private mutating func withdraw(_ index: Int, _ versionIndex: Int, _ walk: inout Walk) {
        let sequence = withdrawals[index].sequence
        guard withdrawals[index].seenBy != versionIndex else {
            return walk.problems.append("line \(sequence) is withdrawn twice")
        }
        withdrawals[index].seenBy = versionIndex
        guard let fileIndex = withdrawals[index].files.first(where: { files[$0].seenBy == versionIndex }),
            let split = files[fileIndex].entry.split
        else { return walk.problems.append("line \(sequence) is withdrawn but does not exist") }
        walk.validCounts[split] = (walk.validCounts[split] ?? 0).subtracting(1)
    }
}
