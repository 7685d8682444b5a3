internal import Events
internal import Hashing
internal import JSON
internal import Storage
public import Vocabulary

/// What is wrong with a version.
public struct VersionProblem: Hashable, Sendable {
    /// Nil where the manifest of an ordinal cannot be read.
    public let version: DatasetVersionID?
    /// The ordinal, where no id is known.
    public let ordinal: Int?
    public let text: String
}

/// Looks whether versions of a project are whole. Each file is read once, however many versions share it.
///
/// Memory: the pages and files of all of them, about 300 bytes each, and 4 bytes for each time that a page or a manifest of
/// form 1 names one; about 60 bytes a tombstone; one segment.
struct DatasetVerifier {
    /// What a page leads to.
    private struct Page {
        var files: [Int32] = []
        var pages: [String] = []
        var problems: [String] = []
    }

    /// A file of labels or tombstones.
    private struct File {
        let entry: DatasetEntry
        let isPaged: Bool
        var problems: [String] = []
        /// Of tombstones.
        var sequences: [Int64] = []
    }

    /// A version, and what it names.
    private struct Version {
        let id: DatasetVersionID
        var counts: [Split: Int] = [:]
        var pages: [String] = []
        var files: [Int32] = []
    }

    private let store: DatasetStore
    private let project: ProjectID
    private let parser = JSONParser(maximumDepth: 64, maximumSize: DatasetForm.lineSize)
    private var pages: [String: Page] = [:]
    private var files: [File] = []
    private var positions: [String: Int32] = [:]
    /// The split of every line that some version withdraws, by its number.
    private var withdrawn: [Int64: Split] = [:]
    /// Tombstones whose line was not met yet.
    private var wanted: Set<Int64> = []
    private var versions: [Version] = []

    init(_ store: DatasetStore, _ project: ProjectID) {
        self.store = store
        self.project = project
    }

    /// Takes a version in, of which its pages are read now and its files later.
    mutating func add(_ manifest: DatasetManifest) throws {
        var version = Version(id: manifest.id)
        for segment in manifest.segments { version.files.append(add(DatasetEntry(segment), isPaged: false)) }
        let place = store.files(of: manifest)
        for page in manifest.pages { try add(page, place) }
        if manifest.formatVersion > 1 {
            version.pages = manifest.pages.map(\.sha256)
            for split in Split.allCases { version.counts[split] = manifest.count(of: split) }
        }
        versions.append(version)
    }

    private mutating func add(_ entry: DatasetEntry, isPaged: Bool) -> Int32 {
        if let known = positions[entry.sha256] { return known }
        let position = Int32(clamping: files.count)
        positions[entry.sha256] = position
        files.append(File(entry: entry, isPaged: isPaged))
        return position
    }

    private mutating func add(_ reference: DatasetPageReference, _ place: DatasetFiles) throws {
        guard pages[reference.sha256] == nil else { return }
        var page = Page()
        do {
            switch try place.page(reference, parser).content {
            case .files(let entries):
                for entry in entries { page.files.append(add(entry, isPaged: true)) }
            case .pages(let references):
                page.pages = references.map(\.sha256)
                for reference in references { try add(reference, place) }
            }
        } catch let error as StorageError where error.kind == .notFound {
            page.problems.append("page \(try place.place(reference.path)) is missing")
        } catch let error as EngineError {
            page.problems.append(error.description)
        }
        pages[reference.sha256] = page
    }

    /// The problems of every version that was taken in, in the order in which they were.
    mutating func problems() throws -> [VersionProblem] {
        for place in files.indices where files[place].entry.kind == .tombstones { try readTombstones(place) }
        for place in files.indices where files[place].entry.kind == .labels { try readLabels(place) }
        return versions.flatMap { version in
            problems(of: version).map { VersionProblem(version: version.id, ordinal: nil, text: $0) }
        }
    }

    // MARK: - Files

    private func place(_ entry: DatasetEntry) -> String {
        "\(project)\(DatasetEntry.path(entry.kind, entry.sha256).dropFirst("../..".count))"
    }

    /// The bytes of a file, or what is wrong with it.
    private mutating func bytes(_ key: Int, _ kind: String) throws -> [UInt8]? {
        let entry = files[key].entry
        let place = place(entry)
        guard let bytes = try store.objects.readIfPresent(place, maximumSize: 1 << 30) else {
            files[key].problems.append("\(kind) \(place) is missing")
            return nil
        }
        if try store.objects.isLink(place) { files[key].problems.append("\(kind) \(place) is a symbolic link") }
        if SHA256Digest(of: bytes).hex != entry.sha256 {
            files[key].problems.append("\(kind) \(place) has another digest")
        } else if bytes.count != entry.size {
            files[key].problems.append("\(kind) \(place) has \(bytes.count) bytes, not \(entry.size)")
        }
        return bytes
    }

    private mutating func readTombstones(_ key: Int) throws {
        guard let bytes = try bytes(key, "file"), files[key].problems.isEmpty else { return }
        let entry = files[key].entry
        var tombstones = Tombstones()
        do throws(EngineError) {
            try tombstones.append(bytes, entry, file: place(entry))
        } catch {
            files[key].problems.append(error.description)
            return
        }
        files[key].sequences = tombstones.sequences
        wanted.formUnion(tombstones.sequences)
    }

    private mutating func readLabels(_ key: Int) throws {
        guard let bytes = try bytes(key, "segment"), !bytes.isEmpty || files[key].entry.records > 0 else { return }
        let file = files[key]
        let (entry, path) = (file.entry, place(file.entry))
        var problems: [String] = []
        var (lines, last): (Int, Int64) = (0, 0)
        var first: Int64?
        var fault: String?
        try bytes.withUnsafeBytes { buffer in
            try lendLines(of: buffer) { line in
                lines += 1
                guard fault == nil else { return }
                do throws(JSONError) {
                    let object = try parser.parse(line).object()
                    try DatasetForm.check(line: object)
                    guard file.isPaged || !wanted.isEmpty else { return }
                    let sequence = try object.int64("sequence")
                    if file.isPaged {
                        guard sequence > last else { throw object.failure("sequence", "expected more than \(last)") }
                        guard try object.string("split") == entry.split?.rawValue else {
                            throw object.failure("split", "expected \(entry.split?.rawValue ?? "none")")
                        }
                    }
                    (first, last) = (first ?? sequence, sequence)
                    if let split = entry.split, wanted.remove(sequence) != nil { withdrawn[sequence] = split }
                } catch {
                    fault = "segment \(path) line \(lines): \(DatasetForm.reason(error))"
                }
            }
        }
        if lines != entry.records { problems.append("segment \(path) holds \(lines) labels, not \(entry.records)") }
        if let range = entry.sequences, fault == nil, let first, first...max(first, last) != range {
            problems.append(
                "segment \(path) holds lines \(first) to \(last), not \(range.lowerBound) to \(range.upperBound)"
            )
        }
        if let fault { problems.append(fault) }
        files[key].problems += problems
    }

    // MARK: - Versions

    private func problems(of version: Version) -> [String] {
        guard !version.pages.isEmpty else { return version.files.flatMap { files[Int($0)].problems } }
        var sums = Sums()
        for page in version.pages { sums.add(sum(of: page)) }
        guard sums.problems.isEmpty else { return sums.problems }
        var problems: [String] = []
        for split in Split.allCases where sums.living[split] ?? 0 != version.counts[split] ?? 0 {
            problems.append(
                "\(sums.living[split] ?? 0) \(split) labels hold, its manifest says \(version.counts[split] ?? 0)"
            )
        }
        return problems
    }

    private struct Sums {
        var living: [Split: Int] = [:]
        var problems: [String] = []

        mutating func add(_ other: Sums) {
            living.merge(other.living) { $0.adding($1) }
            problems += other.problems
        }
    }

    private func sum(of key: String) -> Sums {
        guard let page = pages[key] else { return Sums() }
        var sums = Sums(problems: page.problems)
        for key in page.pages { sums.add(sum(of: key)) }
        for key in page.files {
            let file = files[Int(key)]
            sums.problems += file.problems
            if let split = file.entry.split {
                sums.living[split] = (sums.living[split] ?? 0).adding(file.entry.records)
            }
            for sequence in file.sequences {
                if wanted.contains(sequence) { sums.problems.append("line \(sequence) is withdrawn and not there") }
                let split = withdrawn[sequence] ?? .training
                sums.living[split] = (sums.living[split] ?? 0).subtracting(1)
            }
        }
        return sums
    }
}

extension DatasetStore {
    /// Every problem of a version: files that are missing, changed or of another length. Empty when it is whole.
    ///
    /// - Throws: `EngineError` of a manifest that cannot be read.
    public func verify(_ project: ProjectID, id: DatasetVersionID) throws -> [String] {
        guard let manifest = try manifest(project, id: id) else { return ["version \(id) is not here"] }
        var verifier = DatasetVerifier(self, project)
        try verifier.add(manifest)
        return try verifier.problems().map(\.text)
    }

    /// Every problem of all versions of a project, each file of which is read once.
    ///
    /// - Returns: The ids of the versions in their order, those that were collected, and what is wrong.
    /// - Complexity: O(*n*) in the bytes of the project's files.
    public func verify(_ project: ProjectID) throws -> (
        versions: [DatasetVersionID], collected: [DatasetVersionID], problems: [VersionProblem]
    ) {
        let gone = try collected(project)
        var collected: [DatasetVersionID] = []
        var verifier = DatasetVerifier(self, project)
        var problems: [VersionProblem] = []
        var versions: [DatasetVersionID] = []
        for ordinal in try ordinals(project) {
            // One that cannot be read keeps nobody from looking at the others.
            do {
                let id = try id(project, ordinal: ordinal)
                if let id, gone.contains(id) {
                    collected.append(id)
                    continue
                }
                guard let manifest = try manifest(project, ordinal: ordinal) else {
                    let text = "it names a version that is not here"
                    problems.append(VersionProblem(version: nil, ordinal: ordinal, text: text))
                    continue
                }
                try verifier.add(manifest)
                versions.append(manifest.id)
            } catch let error as EngineError {
                problems.append(VersionProblem(version: nil, ordinal: ordinal, text: "\(error)"))
            }
        }
        return (versions, collected, try problems + verifier.problems())
    }
}
