public import EngineCore
internal import Events
internal import Flywheel
internal import JSON
internal import Kinds
internal import StreamRuntime
internal import Vocabulary

/// Adoption of the revisions of projects, under which records are checked.
extension IntakeProcessor {
    /// Records of `projects` that cannot be followed, or not yet, in the order of their offsets.
    public var projectFaults: [ProjectFault] {
        guard !waiting.isEmpty else { return directory.faults }
        let waitingFaults = waiting.map { ProjectFault(project: $0.key, offset: $0.value, reason: Self.waitingReason) }
        return (directory.faults + waitingFaults).sorted {
            ($0.offset, $0.project ?? "") < ($1.offset, $1.project ?? "")
        }
    }

    private static let waitingReason =
        "the project has had as many revisions in an hour as its journal takes (entry_budget.projects of the worker's file); the newest one is followed when the budget returns, until then the one before it: find out who writes to projects"

    /// Milliseconds between two attempts to adopt waiting revisions.
    private static let retryInterval: Int64 = 1_000

    /// Adopts the directory's new revisions, and waiting revisions for which the budgets have capacity by now.
    func adoptRevisions() {
        let latestStateGeneration = state?.generation ?? 0
        let hasNewRevisions = generation != directory.generation
        let isRetryDue = !waiting.isEmpty && (batchTime - triedAt >= Self.retryInterval || batchTime < triedAt)
        guard hasNewRevisions || isRetryDue || stateGeneration != latestStateGeneration else { return }
        stateGeneration = latestStateGeneration
        if hasNewRevisions {
            generation = directory.generation
            for (name, configuration) in directory.projects { adopt(configuration, named: name) }
            projects.remove { directory.projects[$0.configuration.project.rawValue] == nil }
            waiting = waiting.filter { directory.projects[$0.key] != nil }
        } else if isRetryDue {
            for name in waiting.keys {
                if let configuration = directory.projects[name] { adopt(configuration, named: name) }
            }
        }
        triedAt = batchTime
        projectView = projects.view
        adoptKnowledge()
    }

    private func adopt(_ configuration: ProjectConfiguration, named name: String) {
        let old = projects[name]?.pointee
        if let old, old.configuration.revision == configuration.revision { return }
        // The loop refuses a revision that gives positions another meaning; entries must not be written under it.
        if let old, configuration.question.fault(after: old.configuration.question) != nil { return }
        guard hasRoom(for: configuration, after: old?.configuration) else {
            if waiting[name] == nil { waiting[name] = directory.offset(of: name) ?? 0 }
            return
        }
        waiting[name] = nil
        var project = IntakeProject(configuration, salt: salt, pool: state?.pool(of: configuration))
        if let old { project.inherit(old, in: transactionNumber, share: share) }
        projects.set(project)
    }

    /// Whether the journal has capacity for the revision when its first entry is written. Revisions supersede each
    /// other: a revision that is in no journal yet passes its capacity to the next one.
    private func hasRoom(for configuration: ProjectConfiguration, after old: ProjectConfiguration?) -> Bool {
        guard !isAnnounced(configuration) else { return true }
        if let old, !isAnnounced(old) { return true }
        return entryBudget.hasRoom(configuration.project, .projects, at: batchTime, share: 1)
    }

    /// Whether this processor has written the revision, or a later one, to its project's journal.
    func isAnnounced(_ configuration: ProjectConfiguration) -> Bool {
        let name = configuration.project.rawValue
        return (announcing[name] ?? announced[name] ?? 0) >= configuration.revision
    }

    /// Adopts the loop's knowledge of each project.
    private func adoptKnowledge() {
        guard let state else { return }
        for project in projects.all {
            let known = state.knowledge(of: project.pointee.configuration)
            project.pointee.space = known.space
            project.pointee.setExploration(extra: known.exploration)
            project.pointee.setDisputed(known.disputed)
        }
    }

    /// Returns the name of a record's project. Before a project is reported as unknown, `projects` is read to its end
    /// once more.
    func project(_ object: JSONObject, of record: RecordView) throws(RecordRejection) -> String {
        let name: String
        do throws(JSONError) { name = try object.string("project") } catch { throw RecordRejection(error) }
        if projects[name] == nil { _ = readAgain(for: record) }
        guard projects[name] != nil else {
            if let reason = directory.fault(of: name)?.reason ?? waiting[name].map({ _ in Self.waitingReason }) {
                throw RecordRejection(
                    .faultyProject,
                    "project: \(name) has no revision that can be followed: \(reason)"
                )
            }
            throw RecordRejection(.unknownProject, "project: there is no project \"\(name.prefix(64))\"")
        }
        return name
    }

    /// Reads the projects to their end, unless that was done since the record was written: a flood of unknown names
    /// causes scans only for records that are newer than the last scan, and all scans together take at most their
    /// allowance. When the allowance is spent, only revisions that have already arrived are adopted.
    ///
    /// - Returns: Whether there is anything new to check against.
    func readAgain(for record: RecordView) -> Bool {
        let (before, began) = (generation, now())
        switch readAllowance.decide(for: record.timestamp, at: began) {
        case .unneeded: return false
        case .spent: guard (try? directory.refresh()) != nil else { return false }
        case .due:
            let isRead = (try? directory.readToEnd(stable: true, maximumWait: 2_000)) != nil
            readAllowance.ended(began: began, at: now(), isRead: isRead)
            guard isRead else { return false }
        }
        adoptRevisions()
        return generation != before
    }
}
