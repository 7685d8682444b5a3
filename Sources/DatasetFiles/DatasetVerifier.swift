internal import EngineCore
internal import Events
internal import Hashing
internal import JSON
internal import Storage
internal import Vocabulary

/// Looks whether versions of a project are whole: whether `DatasetReader` would read each to its end. Each file is read once,
/// however many versions share it.
///
/// Memory: the pages and files of all of them, about 400 bytes each, and 4 bytes for each time that a page or a manifest of
/// form 1 names one; about 80 bytes a tombstone; some 50 bytes a label; one segment.
struct DatasetVerifier {
    /// Content of a page: the files and pages it names, and the problems of reading it.
    private struct Page {
        var files: [Int32] = []
        var pages: [DatasetPageReference] = []
        var problems: [String] = []
        /// The last version that was looked at and names it.
        var seenBy = -1
    }

    /// A file of labels or tombstones, as it is named. One that is named in two ways is two.
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
        /// The last version that was looked at and names it.
        var seenBy = -1
    }

    /// A line that some version withdraws.
    private struct Withdrawal {
        let sequence: Int64
        /// Files in which it stands.
        var files: [Int] = []
        /// The last version that was looked at and withdraws it.
        var seenBy = -1
    }

    /// A version, and what it names.
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
    /// Places in `files`, by digest: nearly always one.
    private var positions: [String: [Int]] = [:]
    private var withdrawals: [Withdrawal] = []
    private var withdrawalOf: [Int64: Int] = [:]
    private var versions: [Version] = []
    private var samples = SampleLines()

    package init(_ store: DatasetStore, _ project: ProjectID) {
        self.store = store
        self.project = project
    }

    /// Takes a version in, of which its pages are read now and its files later.
    ///
    /// - Throws: `StorageError` of a store that is away.
    mutating func add(_ manifest: DatasetManifest) throws {
        var version = Version(id: manifest.id, isPaged: manifest.formatVersion > 1)
        for segment in manifest.segments { version.files.append(add(DatasetEntry(segment), isPaged: false)) }
        let place = store.files(of: manifest)
        for page in manifest.pages { try add(page, place) }
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

    private mutating func add(_ reference: DatasetPageReference, _ place: DatasetFiles) throws {
        guard pages[reference] == nil else { return }
        var page = Page()
        do {
            switch try place.page(reference, parser).content {
            case .files(let entries):
                for entry in entries { page.files.append(add(entry, isPaged: true)) }
            case .pages(let references):
                page.pages = references
                for reference in references { try add(reference, place) }
            }
        } catch let error as StorageError where !error.isRemote {
            page.problems.append(Self.text(error, "page", try place.place(reference.path)))
        } catch let error as EngineError {
            page.problems.append(error.description)
        }
        pages[reference] = page
    }

    /// The problems of every version that was taken in, in the order in which they were.
    ///
    /// - Throws: `StorageError` of a store that is away.
    mutating func problems() throws -> [VersionProblem] {
        for place in files.indices where files[place].entry.kind == .tombstones { try readTombstones(place) }
        for place in files.indices where files[place].entry.kind == .labels { try readLabels(place) }
        var all: [VersionProblem] = []
        for number in versions.indices {
            for text in problems(of: number) {
                all.append(VersionProblem(version: versions[number].id, ordinal: nil, text: text))
            }
        }
        return all
    }

    // MARK: - Files

    private func place(_ entry: DatasetEntry) -> String {
        "\(project)\(DatasetEntry.path(entry.kind, entry.sha256).dropFirst("../..".count))"
    }

    /// Describes why a file cannot be read.
    private static func text(_ error: StorageError, _ kind: String, _ place: String) -> String {
        error.kind == .notFound ? "\(kind) \(place) is missing" : "\(kind) \(place) cannot be read: \(error.reason)"
    }

    /// The bytes of a file, or what is wrong with it. One that cannot be read keeps nobody from looking at the others.
    private mutating func bytes(_ key: Int, _ kind: String) throws -> [UInt8]? {
        let entry = files[key].entry
        let place = place(entry)
        do throws(StorageError) {
            if try store.objects.isLink(place) { files[key].problems.append("\(kind) \(place) is a symbolic link") }
            // What is packed unpacks to no more than is said of it, or a little.
            let bytes = try store.objects.read(place, maximumSize: max(entry.size, 64 << 20))
            if SHA256Digest(of: bytes).hex != entry.sha256 {
                // Whatever else is wrong with it follows from that.
                files[key].problems.append("\(kind) \(place) has another digest")
                return nil
            } else if bytes.count != entry.size {
                files[key].problems.append("\(kind) \(place) has \(bytes.count) bytes, not \(entry.size)")
            }
            if let problem = try store.problemOfCopy(entry, place) { files[key].problems.append("\(kind) \(problem)") }
            return bytes
        } catch {
            guard !error.isRemote else { throw error }
            files[key].problems.append(Self.text(error, kind, place))
            return nil
        }
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
        for sequence in tombstones.sequences {
            let place = withdrawalOf[sequence] ?? withdrawals.count
            if place == withdrawals.count {
                withdrawalOf[sequence] = place
                withdrawals.append(Withdrawal(sequence: sequence))
            }
            files[key].withdrawals.append(place)
        }
    }

    private mutating func readLabels(_ key: Int) throws {
        guard let bytes = try bytes(key, "segment"), !bytes.isEmpty || files[key].entry.records > 0 else { return }
        let (entry, path) = (files[key].entry, place(files[key].entry))
        var (number, last): (Int, Int64) = (0, 0)
        var first: Int64?
        var fault: String?
        var pagedFault: String?
        try bytes.withUnsafeBytes { buffer in
            try lendLines(of: buffer) { line in
                number += 1
                guard fault == nil else { return }
                do throws(JSONError) {
                    let object = try parser.parse(line).object()
                    try DatasetForm.check(line: object)
                    note(object, key)
                    guard files[key].isPaged, pagedFault == nil else { return }
                    switch Self.sequence(of: object, behind: last, entry) {
                    case .success(let sequence):
                        (first, last) = (first ?? sequence, sequence)
                        if !withdrawals.isEmpty, let place = withdrawalOf[sequence] {
                            withdrawals[place].files.append(key)
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
            files[key].problems.append("segment \(path) holds \(number) labels, not \(entry.records)")
        }
        if let fault { files[key].problems.append(fault) }
        if let pagedFault { files[key].pagedProblems.append(pagedFault) }
        guard let first, fault == nil, pagedFault == nil else { return }
        files[key].lines = first...max(first, last)
        if let range = entry.sequences, first...max(first, last) != range {
            files[key].pagedProblems.append(
                "segment \(path) holds lines \(first) to \(last), not \(range.lowerBound) to \(range.upperBound)"
            )
        }
    }

    private mutating func note(_ object: JSONObject, _ key: Int) {
        guard let sample = try? object.object("sample").string("id"), let split = files[key].entry.split else { return }
        let sequence = (try? object.int64("sequence")) ?? 0
        samples.add(sample, SampleLines.Place(file: Int32(clamping: key), sequence: sequence, split: split))
    }

    /// The number of a line that a page leads to, or what is wrong with it there.
    private static func sequence(
        of object: JSONObject,
        behind last: Int64,
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

    /// Findings of one pass through the pages of a version.
    private struct Walk {
        var living: [Split: Int] = [:]
        /// The number of the last line, by split.
        var last: [Split: Int64] = [:]
        var tombstones: [Int] = []
        var problems: [String] = []
    }

    private mutating func problems(of number: Int) -> [String] {
        let version = versions[number]
        guard version.isPaged else {
            for key in version.files { files[Int(key)].seenBy = number }
            let problems = version.files.flatMap { files[Int($0)].problems }
            return problems + [samples.problem { files[Int($0.file)].seenBy == number }].compactMap { $0 }
        }
        var walk = Walk()
        for page in version.pages { take(page, number, &walk) }
        for place in walk.tombstones { withdraw(place, number, &walk) }
        guard walk.problems.isEmpty else { return walk.problems }
        var problems: [String] = []
        for split in Split.allCases where walk.living[split] ?? 0 != version.counts[split] ?? 0 {
            problems.append(
                "\(walk.living[split] ?? 0) \(split) labels hold, its manifest says \(version.counts[split] ?? 0)"
            )
        }
        let mixed = samples.problem { line in
            files[Int(line.file)].seenBy == number
                && withdrawalOf[line.sequence].map { withdrawals[$0].seenBy != number } ?? true
        }
        return problems + [mixed].compactMap { $0 }
    }

    private mutating func take(_ reference: DatasetPageReference, _ number: Int, _ walk: inout Walk) {
        guard let page = pages[reference] else { return }
        guard page.seenBy != number else {
            return walk.problems.append("page \(reference.sha256) is named twice")
        }
        pages[reference]?.seenBy = number
        walk.problems += page.problems
        for below in page.pages { take(below, number, &walk) }
        for key in page.files.lazy.map(Int.init) {
            walk.problems += files[key].problems
            walk.problems += files[key].pagedProblems
            guard let split = files[key].entry.split else {
                walk.tombstones += files[key].withdrawals
                continue
            }
            files[key].seenBy = number
            walk.living[split] = (walk.living[split] ?? 0).adding(files[key].entry.records)
            guard let lines = files[key].lines else { continue }
            if lines.lowerBound <= walk.last[split] ?? 0 {
                walk.problems.append(
                    "segment \(place(files[key].entry)) begins with line \(lines.lowerBound), behind line \(walk.last[split] ?? 0)"
                )
            }
            walk.last[split] = lines.upperBound
        }
    }

    private mutating func withdraw(_ place: Int, _ number: Int, _ walk: inout Walk) {
        let sequence = withdrawals[place].sequence
        guard withdrawals[place].seenBy != number else {
            return walk.problems.append("line \(sequence) is withdrawn twice")
        }
        withdrawals[place].seenBy = number
        guard let key = withdrawals[place].files.first(where: { files[$0].seenBy == number }),
            let split = files[key].entry.split
        else { return walk.problems.append("line \(sequence) is withdrawn and not there") }
        walk.living[split] = (walk.living[split] ?? 0).subtracting(1)
    }
}
