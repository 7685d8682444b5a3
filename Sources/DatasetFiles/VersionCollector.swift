internal import EngineCore
internal import Events
internal import JSON
internal import Storage
internal import Vocabulary

/// Determines which versions and objects of a project may be removed.
///
/// Meanwhile a materializer may be running on another machine, and may be about to name an object that is already
/// stored, from an attempt to seal that was interrupted long ago. The age of the object does not reveal that, and no
/// store can remove an object on the condition that no other process has just checked for it. The order of the log is
/// used instead. Every object of a sealed version is named by a version that is kept, or is never named again: a cut
/// whose version was collected is skipped when the log is read again (`CollectedVersion`). The remaining case is the
/// version that is sealed next, and every object that could belong to it is spared, however old: labels after the
/// newest cut, withdrawals that no version has, and pages that name such files.
struct VersionCollector {
    private let store: DatasetStore
    private let project: ProjectID
    private let needs: VersionNeeds
    /// Seconds since 1970; only objects that were last written by then may be removed.
    private let limit: Int64
    private var plan: VersionCollection
    private let parser = JSONParser(maximumDepth: 64, maximumSize: DatasetForm.lineSize)
    /// Objects by their names.
    private var entries: [String: ObjectEntry] = [:]
    /// Object names by folder of the project, ascending.
    private var folders: [String: [String]] = [:]
    /// Object names in the folders of versions, by version.
    private var versions: [String: [String]] = [:]
    /// Names of objects that kept versions refer to.
    private var marked: Set<String> = []
    /// Names of pages that removed versions name, but kept versions do not.
    private var formerPages: Set<String> = []
    /// Versions that are not needed and that cannot be read: the objects that they name are not known.
    private var unreadableVersions: Set<DatasetVersionID> = []

    package init(_ store: DatasetStore, _ project: ProjectID, _ needs: VersionNeeds, writtenBefore limit: Int64) {
        self.store = store
        self.project = project
        self.needs = needs
        self.limit = limit
        plan = VersionCollection(project)
    }

    /// Returns the versions and objects to remove and to keep.
    ///
    /// - Throws: `EngineError` if a version that is kept cannot be read, since the objects that it names are then
    ///   unknown; `StorageError` if the store refuses.
    mutating func collection() throws -> VersionCollection {
        // Objects behind a link can be listed and read, but not removed.
        guard try !store.objects.isLink(project.rawValue) else {
            throw EngineError(
                "collect versions of \(project)",
                "\(store.objects.location)/\(project) is a symbolic link, and nothing is removed through one",
                remedy: "link the store's folder instead, or mount its target in its place"
            )
        }
        // Every object that is judged existed at this time.
        for entry in try store.objects.entries(project.rawValue) {
            entries[entry.name] = entry
            let parts = entry.name.split(separator: "/", maxSplits: 3).map(String.init)
            guard parts.count > 2 else { continue }
            folders[parts[1], default: []].append(entry.name)
            if parts[1] == "versions" { versions[parts[2], default: []].append(entry.name) }
        }
        let collected = Set(
            names(in: "collected").compactMap { name in
                name.hasSuffix(".json") ? DatasetVersionID(String(Self.lastComponent(name).dropLast(5))) : nil
            }
        )
        let versionNumbers = names(in: "ordinals").compactMap { Int(Self.lastComponent($0)) }.sorted()
        guard let newest = versionNumbers.last else { return plan }
        plan.collectedBefore = collected.count
        guard let last = try store.manifest(project, versionNumber: newest), !collected.contains(last.id) else {
            throw unreadable("version \(newest), the newest, is not in the store")
        }
        var known: Set<DatasetVersionID> = []
        for versionNumber in versionNumbers {
            guard let id = try store.id(project, versionNumber: versionNumber), known.insert(id).inserted else {
                continue
            }
            try keepOrCollect(versionNumber, id, isNewest: versionNumber == newest, isCollected: collected.contains(id))
        }
        for id in manifests() where known.insert(id).inserted {
            try keepOrCollectUnnamed(id, after: last, isCollected: collected.contains(id))
        }
        plan.kept.sort { $0.versionNumber < $1.versionNumber }
        plan.collected.sort { $0.versionNumber < $1.versionNumber }
        plan.records.sort { $0.versionNumber < $1.versionNumber }
        try sweep(after: last)
        return plan
    }

    // MARK: - Versions

    private mutating func keepOrCollect(_ versionNumber: Int, _ id: DatasetVersionID, isNewest: Bool, isCollected: Bool)
        throws
    {
        // Left over by a collection that was interrupted.
        if isCollected { return try drop(id) }
        let needReasons = (isNewest ? ["the newest"] : []) + needs.reasons(of: versionNumber)
        do {
            try keepOrCollect(versionNumber, id, needReasons)
        } catch {
            guard needReasons.isEmpty, Self.isAboutBytes(error) else { throw error }
            unreadableVersions.insert(id)
            plan.kept.append(
                VersionCollection.Version(versionNumber: versionNumber, id: id, reasons: ["cannot be read"])
            )
        }
    }

    private mutating func keepOrCollect(_ versionNumber: Int, _ id: DatasetVersionID, _ needReasons: [String]) throws {
        guard let manifest = try store.manifest(project, id: id) else {
            guard !needReasons.isEmpty else { return }
            throw unreadable("version \(versionNumber), which is needed, is not in the store")
        }
        try keepOrCollect(manifest, needReasons)
    }

    /// Keeps a version for reasons, or because it is young, or collects it.
    private mutating func keepOrCollect(_ manifest: DatasetManifest, _ needReasons: [String]) throws {
        let reasons = needReasons + (isYoung(manifestName(manifest.id)) ? ["younger than a day"] : [])
        if reasons.isEmpty { return try collect(manifest) }
        try mark(manifest)
        plan.kept.append(
            VersionCollection.Version(versionNumber: manifest.versionNumber, id: manifest.id, reasons: reasons)
        )
    }

    private mutating func collect(_ manifest: DatasetManifest) throws {
        let (versionNumber, id) = (manifest.versionNumber, manifest.id)
        plan.collected.append(VersionCollection.Version(versionNumber: versionNumber, id: id, reasons: []))
        plan.records.append(CollectedVersion(manifest))
        try drop(id)
    }

    /// Judges a manifest that no version number names: of a seal that was interrupted before its last step, or with the
    /// bytes of another build.
    private mutating func keepOrCollectUnnamed(_ id: DatasetVersionID, after last: DatasetManifest, isCollected: Bool)
        throws
    {
        if isCollected { return try drop(id) }
        do {
            guard let manifest = try store.manifest(project, id: id) else { return }
            var reasons = needs.reasons(of: manifest.versionNumber)
            if manifest.sequence > last.sequence { reasons.append("may be sealed next") }
            try keepOrCollect(manifest, reasons)
        } catch {
            guard Self.isAboutBytes(error) else { throw error }
            unreadableVersions.insert(id)
            guard let entry = entries[manifestName(id)] else { return }
            plan.spared.append(.init(name: entry.name, size: entry.size, reason: Self.unreadableFile))
        }
    }

    private static let unreadableFile = "it cannot be read: inspect it"

    /// Whether the error concerns the bytes that are read, and not the access to them.
    private static func isAboutBytes(_ error: any Error) -> Bool {
        guard let error = error as? StorageError else { return error is EngineError }
        return error.kind == .damaged || error.kind == .tooLarge || error.kind == .notFound
    }

    /// Marks the objects that a version names. Pages that other versions name too are read once.
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

    /// Marks a file by its path from a manifest, in either stored form: compressed or not.
    private mutating func markFile(_ path: String) {
        let name = "\(project)\(path.dropFirst("../..".count))"
        marked.insert(name)
        marked.insert("\(name)\(DatasetForm.compressedSuffix)")
    }

    /// Plans the removal of the files in a version's own folder, its manifest first.
    private mutating func drop(_ id: DatasetVersionID) throws {
        let manifest = manifestName(id)
        for name in [manifest] + (versions[id.rawValue] ?? []).filter({ $0 != manifest }) {
            guard let entry = entries[name] else { continue }
            remove(entry, "of a version that nothing needs")
        }
        // Pages that the manifest itself names need not be read.
        guard let known = try? store.manifest(project, id: id) else { return }
        for page in known.pages { formerPages.insert("\(project)/pages/\(page.sha256).json") }
    }

    // MARK: - Files

    /// Judges the objects that no kept version names: pages, tombstones, segments and packs.
    private mutating func sweep(after last: DatasetManifest) throws {
        for name in names(in: "pages") where !marked.contains(name) {
            guard let entry = entries[name] else { continue }
            judge(entry, try reasonToSpare(page: name, after: last))
        }
        for name in names(in: "tombstones") where !marked.contains(name) {
            guard let entry = entries[name] else { continue }
            // Files of versions are never removed from the tree: a file that the newest version lacks belongs to the
            // next one.
            judge(entry, "withdrawals that no version has: may be sealed next")
        }
        for name in names(in: "segments") where !marked.contains(name) {
            guard let entry = entries[name] else { continue }
            judge(entry, try reasonToSpare(segment: name, after: last) ?? unreadableVersionsReason)
        }
        let kept = Set(plan.kept.map(\.id.rawValue)).union(unreadableVersions.map(\.rawValue))
        // The list of a pack is removed before its files.
        let packs = names(in: "packs").sorted {
            ($0.hasSuffix("/pack.json") ? 0 : 1, $0) < ($1.hasSuffix("/pack.json") ? 0 : 1, $1)
        }
        for name in packs {
            let parts = name.split(separator: "/").map(String.init)
            guard let entry = entries[name], parts.count != 4 || !kept.contains(parts[2]) else { continue }
            judge(
                entry,
                parts.count == 4 ? nil : "not a file of a pack: inspect it",
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

    /// Reason to spare a segment: labels after the newest cut belong to a future version.
    private func reasonToSpare(segment name: String, after last: DatasetManifest) throws -> String? {
        let plain =
            name.hasSuffix(DatasetForm.compressedSuffix)
            ? String(name.dropLast(DatasetForm.compressedSuffix.count)) : name
        guard let line = try Self.readable({ try store.firstLine(of: plain) }),
            let sequence = DatasetLine.sequence(of: line, parser)
        else { return Self.unreadableFile }
        return sequence > last.sequence ? "labels after the newest cut: may be sealed next" : nil
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

    private var unreadableVersionsReason: String? {
        unreadableVersions.isEmpty ? nil : "a version that cannot be read may name it"
    }

    /// Reason to spare a page. A page of the next version names a file that the newest version lacks; among the files
    /// that it lacks there are no labels up to the newest cut.
    private func reasonToSpare(page name: String, after last: DatasetManifest) throws -> String? {
        if let unreadableVersionsReason { return unreadableVersionsReason }
        // The first version with pages takes over all earlier segments: its full pages name nothing new.
        if last.formatVersion == 1 { return "the newest version has no pages yet: may be sealed next" }
        if formerPages.contains(name) { return nil }
        let bytes = try Self.readable {
            try store.objects.readIfPresent(name, maximumSize: DatasetForm.pageSize)
        }
        guard let bytes, let page = try? parser.withDocument(of: bytes, { json in try DatasetPage(json: json) })
        else { return Self.unreadableFile }
        // Pages of higher levels are complete when they are written, and are never removed from the tree.
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

    private static func lastComponent(_ name: String) -> Substring { name.split(separator: "/").last ?? "" }

    private func unreadable(_ reason: String) -> EngineError {
        EngineError(
            "collect versions of \(project)",
            reason,
            remedy: "nothing is removed until that is repaired: flywheel dataset verify lists what is wrong"
        )
    }
}
