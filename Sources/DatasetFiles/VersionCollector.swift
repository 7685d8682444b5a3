internal import EngineCore
internal import Events
internal import JSON
internal import Storage
internal import Vocabulary

/// Finds out what of a project's versions may go.
///
/// A materializer may be at work meanwhile, on another machine, and may be about to name an object that lies there already:
/// of an attempt to seal that was cut off long ago. No age tells that, and no store removes "unless somebody has just looked".
/// So the order of the log does. Of versions that are sealed every object is named by one that is kept, or never named again:
/// a cut whose version was collected is passed over when the log is read again (`CollectedVersion`). What is left is the
/// version that is sealed next, and whatever could be its is spared, however old: labels behind the newest cut, withdrawals
/// that no version has, pages that name such files.
struct VersionCollector {
    private let store: DatasetStore
    private let project: ProjectID
    private let needs: VersionNeeds
    /// Seconds since 1970: what was written before may go.
    private let limit: Int64
    private var plan: VersionCollection
    private let parser = JSONParser(maximumDepth: 64, maximumSize: DatasetForm.lineSize)
    /// Objects by their names.
    private var entries: [String: ObjectEntry] = [:]
    /// Names by the folder of the project, ascending.
    private var folders: [String: [String]] = [:]
    /// Names in the folders of versions.
    private var versions: [String: [String]] = [:]
    /// Names of objects that versions which are kept name.
    private var marked: Set<String> = []
    /// Names of pages that versions which go name, though not those that are kept.
    private var former: Set<String> = []
    /// Versions that nobody needs and that cannot be read: what they name is not known.
    private var unread: Set<DatasetVersionID> = []

    package init(_ store: DatasetStore, _ project: ProjectID, _ needs: VersionNeeds, writtenBefore limit: Int64) {
        self.store = store
        self.project = project
        self.needs = needs
        self.limit = limit
        plan = VersionCollection(project)
    }

    /// Returns the versions and objects to remove and to keep.
    ///
    /// - Throws: `EngineError` where a version that is kept cannot be read: what it names is not known then; `StorageError` where
    ///   the store refuses.
    mutating func collection() throws -> VersionCollection {
        // Its objects can be listed and read, but not removed.
        guard try !store.objects.isLink(project.rawValue) else {
            throw EngineError(
                "collect versions of \(project)",
                "\(store.objects.location)/\(project) is a symbolic link, and nothing is removed through one",
                remedy: "link the store's folder instead, or mount what the link leads to in its place"
            )
        }
        // Everything that is judged was there at this moment.
        for entry in try store.objects.entries(project.rawValue) {
            entries[entry.name] = entry
            let parts = entry.name.split(separator: "/", maxSplits: 3).map(String.init)
            guard parts.count > 2 else { continue }
            folders[parts[1], default: []].append(entry.name)
            if parts[1] == "versions" { versions[parts[2], default: []].append(entry.name) }
        }
        let collected = Set(
            names(in: "collected").compactMap { name in
                name.hasSuffix(".json") ? DatasetVersionID(String(Self.file(name).dropLast(5))) : nil
            }
        )
        let ordinals = names(in: "ordinals").compactMap { Int(Self.file($0)) }.sorted()
        guard let newest = ordinals.last else { return plan }
        plan.collectedBefore = collected.count
        guard let last = try store.manifest(project, ordinal: newest), !collected.contains(last.id) else {
            throw unreadable("version \(newest), the newest, is not in the store")
        }
        var known: Set<DatasetVersionID> = []
        for ordinal in ordinals {
            guard let id = try store.id(project, ordinal: ordinal), known.insert(id).inserted else { continue }
            try take(ordinal, id, isNewest: ordinal == newest, isCollected: collected.contains(id))
        }
        for id in manifests() where known.insert(id).inserted {
            try takeUnnamed(id, behind: last, isCollected: collected.contains(id))
        }
        plan.kept.sort { $0.ordinal < $1.ordinal }
        plan.collected.sort { $0.ordinal < $1.ordinal }
        plan.records.sort { $0.ordinal < $1.ordinal }
        try sweep(behind: last)
        return plan
    }

    // MARK: - Versions

    private mutating func take(_ ordinal: Int, _ id: DatasetVersionID, isNewest: Bool, isCollected: Bool) throws {
        // Of a collection that was cut off.
        if isCollected { return try drop(id) }
        let needed = (isNewest ? ["the newest"] : []) + needs.reasons(of: ordinal)
        do {
            try take(ordinal, id, needed)
        } catch {
            guard needed.isEmpty, Self.isAboutBytes(error) else { throw error }
            unread.insert(id)
            plan.kept.append(VersionCollection.Version(ordinal: ordinal, id: id, reasons: ["cannot be read"]))
        }
    }

    private mutating func take(_ ordinal: Int, _ id: DatasetVersionID, _ needed: [String]) throws {
        guard let manifest = try store.manifest(project, id: id) else {
            guard !needed.isEmpty else { return }
            throw unreadable("version \(ordinal), which is needed, is not in the store")
        }
        try take(manifest, needed)
    }

    /// Keeps a version for reasons, or because it is young, or collects it.
    private mutating func take(_ manifest: DatasetManifest, _ needed: [String]) throws {
        let reasons = needed + (isYoung(manifestName(manifest.id)) ? ["younger than a day"] : [])
        if reasons.isEmpty { return try collect(manifest) }
        try mark(manifest)
        plan.kept.append(VersionCollection.Version(ordinal: manifest.ordinal, id: manifest.id, reasons: reasons))
    }

    private mutating func collect(_ manifest: DatasetManifest) throws {
        let (ordinal, id) = (manifest.ordinal, manifest.id)
        plan.collected.append(VersionCollection.Version(ordinal: ordinal, id: id, reasons: []))
        plan.records.append(CollectedVersion(manifest))
        try drop(id)
    }

    /// A manifest that no ordinal names: of a seal that was cut off before its last step, or of another build's bytes.
    private mutating func takeUnnamed(_ id: DatasetVersionID, behind last: DatasetManifest, isCollected: Bool) throws {
        if isCollected { return try drop(id) }
        do {
            guard let manifest = try store.manifest(project, id: id) else { return }
            var reasons = needs.reasons(of: manifest.ordinal)
            if manifest.sequence > last.sequence { reasons.append("may be sealed next") }
            try take(manifest, reasons)
        } catch {
            guard Self.isAboutBytes(error) else { throw error }
            unread.insert(id)
            guard let entry = entries[manifestName(id)] else { return }
            plan.spared.append(.init(name: entry.name, size: entry.size, reason: Self.unreadableFile))
        }
    }

    private static let unreadableFile = "it cannot be read: look what it is"

    /// Whether something is wrong with what is read, and not with the way to it.
    private static func isAboutBytes(_ error: any Error) -> Bool {
        guard let error = error as? StorageError else { return error is EngineError }
        return error.kind == .damaged || error.kind == .tooLarge || error.kind == .notFound
    }

    /// Marks what a version names. Pages that others name too are read once.
    private mutating func mark(_ manifest: DatasetManifest) throws {
        marked.insert(manifestName(manifest.id))
        for segment in manifest.segments { markFile(segment.path) }
        let files = store.files(of: manifest)
        for page in manifest.pages { try mark(page, files) }
    }

    private mutating func mark(_ reference: DatasetPageReference, _ files: DatasetFiles) throws {
        guard marked.insert("\(project)/pages/\(reference.sha256).json").inserted else { return }
        switch try files.page(reference, parser).content {
        case .files(let entries): for entry in entries { markFile(entry.path) }
        case .pages(let references): for reference in references { try mark(reference, files) }
        }
    }

    /// A file by its path from a manifest, as it lies there: compressed or not.
    private mutating func markFile(_ path: String) {
        let name = "\(project)\(path.dropFirst("../..".count))"
        marked.insert(name)
        marked.insert("\(name)\(DatasetForm.compressedSuffix)")
    }

    /// Lets the files of a version's own folder go, its manifest first.
    private mutating func drop(_ id: DatasetVersionID) throws {
        let manifest = manifestName(id)
        for name in [manifest] + (versions[id.rawValue] ?? []).filter({ $0 != manifest }) {
            guard let entry = entries[name] else { continue }
            remove(entry, "of a version that nothing needs")
        }
        // What the manifest names itself needs no look.
        guard let known = try? store.manifest(project, id: id) else { return }
        for page in known.pages { former.insert("\(project)/pages/\(page.sha256).json") }
    }

    // MARK: - Files

    /// Judges what no version that is kept names: pages, withdrawals, labels, packs.
    private mutating func sweep(behind last: DatasetManifest) throws {
        for name in names(in: "pages") where !marked.contains(name) {
            guard let entry = entries[name] else { continue }
            judge(entry, try reasonToSpare(page: name, behind: last))
        }
        for name in names(in: "tombstones") where !marked.contains(name) {
            guard let entry = entries[name] else { continue }
            // Files of versions never leave the tree: one that the newest does not have is of the next.
            judge(entry, "withdrawals that no version has: may be sealed next")
        }
        for name in names(in: "segments") where !marked.contains(name) {
            guard let entry = entries[name] else { continue }
            judge(entry, try reasonToSpare(segment: name, behind: last) ?? reasonOfUnread)
        }
        let kept = Set(plan.kept.map(\.id.rawValue)).union(unread.map(\.rawValue))
        // The list of a pack before its files.
        let packs = names(in: "packs").sorted {
            ($0.hasSuffix("/pack.json") ? 0 : 1, $0) < ($1.hasSuffix("/pack.json") ? 0 : 1, $1)
        }
        for name in packs {
            let parts = name.split(separator: "/").map(String.init)
            guard let entry = entries[name], parts.count != 4 || !kept.contains(parts[2]) else { continue }
            judge(
                entry,
                parts.count == 4 ? nil : "no file of a pack: look what it is",
                "pack of a version that is not kept"
            )
        }
    }

    private mutating func judge(_ entry: ObjectEntry, _ spare: String?, _ reason: String = "no version names it") {
        if entry.modified > limit {
            plan.spared.append(.init(name: entry.name, size: entry.size, reason: "younger than a day"))
        } else if let spare {
            plan.spared.append(.init(name: entry.name, size: entry.size, reason: spare))
        } else {
            remove(entry, reason)
        }
    }

    private mutating func remove(_ entry: ObjectEntry, _ reason: String) {
        plan.removed.append(.init(name: entry.name, size: entry.size, reason: reason))
    }

    /// Labels behind the newest cut are of a version to come.
    private func reasonToSpare(segment name: String, behind last: DatasetManifest) throws -> String? {
        let plain =
            name.hasSuffix(DatasetForm.compressedSuffix)
            ? String(name.dropLast(DatasetForm.compressedSuffix.count)) : name
        guard let line = try Self.readable({ try store.firstLine(of: plain) }),
            let sequence = DatasetLine.sequence(of: line, parser)
        else { return Self.unreadableFile }
        return sequence > last.sequence ? "labels behind the newest cut: may be sealed next" : nil
    }

    /// Returns the bytes read; nil where the file's content is at fault. Other errors are thrown.
    private static func readable(_ body: () throws -> [UInt8]?) throws -> [UInt8]? {
        do {
            return try body()
        } catch {
            guard isAboutBytes(error) else { throw error }
            return nil
        }
    }

    private var reasonOfUnread: String? {
        unread.isEmpty ? nil : "a version that cannot be read may name it"
    }

    /// A page of the next version names something that the newest lacks, and everything of it that the newest cut is behind.
    private func reasonToSpare(page name: String, behind last: DatasetManifest) throws -> String? {
        if let reasonOfUnread { return reasonOfUnread }
        // The first version with pages takes over all segments before: its full pages name nothing that is new.
        if last.formatVersion == 1 { return "the newest version has no pages yet: may be sealed next" }
        if former.contains(name) { return nil }
        let bytes = try Self.readable {
            try store.objects.readIfPresent(name, maximumSize: DatasetForm.pageSize)
        }
        guard let bytes, let page = try? parser.withDocument(of: bytes, { json in try DatasetPage(json: json) })
        else { return Self.unreadableFile }
        // Pages above are complete when they are written, and never leave the tree.
        guard case .files(let files) = page.content else { return "may be sealed next" }
        var isNew = false
        for file in files {
            let isHeld = marked.contains("\(project)\(file.path.dropFirst("../..".count))")
            if isHeld { continue }
            if file.kind == .labels, let range = file.sequences, range.lowerBound <= last.sequence { return nil }
            isNew = true
        }
        return isNew ? "names files that no version has: may be sealed next" : nil
    }

    // MARK: - Names

    private func names(in folder: String) -> [String] {
        folders[folder] ?? []
    }

    private func manifests() -> [DatasetVersionID] {
        versions.keys.sorted().map { DatasetVersionID($0) }.filter { entries[manifestName($0)] != nil }
    }

    private func manifestName(_ id: DatasetVersionID) -> String { "\(project)/versions/\(id)/manifest.json" }

    /// Whether an object is newer than the limit; one that the listing lacks was written after it, and counts as
    /// newer.
    private func isYoung(_ name: String) -> Bool { entries[name].map { $0.modified > limit } ?? true }

    private static func file(_ name: String) -> Substring { name.split(separator: "/").last ?? "" }

    private func unreadable(_ reason: String) -> EngineError {
        EngineError(
            "collect versions of \(project)",
            reason,
            remedy: "nothing is removed while that is so: flywheel dataset verify says what is wrong"
        )
    }
}
