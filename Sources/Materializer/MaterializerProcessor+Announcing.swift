internal import EngineCore
internal import Events
internal import JSON
internal import StreamRuntime
internal import Vocabulary

/// Announcements of versions, each of which is written once.
extension MaterializerProcessor {
    /// A version that is in the store and not yet announced.
    struct Announcement {
        let project: ProjectID
        let version: SealedVersion
        let record: OutputRecord
    }

    /// Adds a sealed version to the announcements of the next transaction, unless it is announced already.
    func announce(
        for project: ProjectID,
        version: SealedVersion,
        cut: VersionCut,
        partition: Int32,
        offset: Int64
    ) {
        switch announced.status(project, version, in: partition) {
        case .known: return
        case .otherID: announcedUnderOtherID(project, version)
        case .new: break
        }
        cutAt[partition] = offset
        let record = announcement(for: project, version: version, cut: cut, partition: partition)
        let newAnnouncement = Announcement(project: project, version: version, record: record)
        waitingAnnouncements[partition, default: []].append(newAnnouncement)
    }

    private func announcement(
        for project: ProjectID,
        version: SealedVersion,
        cut: VersionCut,
        partition: Int32
    ) -> OutputRecord {
        var writer = JSONWriter()
        SealedVersionEvent(project: project, version: version).write(to: &writer)
        // The headers have no time, because sealing a version twice must give the same record.
        let headers = CloudEventHeaders(
            id: "\(project)-version-\(cut.versionNumber)",
            source: "flywheel/\(project)/materializer",
            type: "io.flywheel.version.sealed.v1",
            time: nil,
            correlation: version.id.rawValue,
            causation: "\(project)-cut-\(cut.sequence)"
        )
        return OutputRecord(
            topic: topics[.datasetVersions],
            partition: partition,
            key: Array(project.rawValue.utf8),
            value: writer.bytes,
            headers: headers.recordHeaders
        )
    }
}
