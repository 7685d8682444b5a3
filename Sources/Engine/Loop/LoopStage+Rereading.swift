internal import Events
internal import Flywheel
internal import JSON
public import StreamRuntime
internal import Vocabulary

/// One project at a time reads the journal again from where it was paused, beside the live stream.
struct Rereading {
    /// Records of the journal in one transaction, whoever they belong to.
    static let portion = 1_000
    /// The most that such a transaction holds, in bytes.
    static let maximumBytes = 4 << 20

    /// The project, and where its reader stands.
    var name: String?
    var position: Int64 = -1
    var reader: (any LogReader)?
    let batch = RecordBatch()
    /// Below this offset a project's entries are taken one a transaction.
    var carefulUntil: [String: Int64] = [:]
    /// Refusals in a row at one offset.
    var refusals: [String: (next: Int64, count: Int, reason: String)] = [:]
    /// Projects whose last reader died, to be noted before they are read.
    var died: Set<String> = []
    private var noting: Set<String> = []

    mutating func note(_ name: String) { noting.insert(name) }

    mutating func committed() {
        died.subtract(noting)
        noting.removeAll()
    }

    /// What was read is read again.
    mutating func aborted() {
        noting.removeAll()
        position = -1
    }

    /// Everything but the reader stays true.
    mutating func stop() {
        reader?.close()
        reader = nil
        name = nil
        position = -1
    }

    mutating func close() {
        stop()
        carefulUntil.removeAll()
        refusals.removeAll()
        died.removeAll()
        noting.removeAll()
    }
}

extension LoopStage {
    public func foundUnclean(_ found: [TopicPartition]) {
        for place in found where place.topic == topics[.journal] {
            for (name, project) in partitions[place.partition]?.projects ?? [:]
            where project.pause?.isResuming ?? false { rereading.died.insert(name) }
        }
    }

    public func betweenTurns(into turn: inout Turn) throws {
        for number in partitions.keys.sorted() {
            guard let projects = partitions[number]?.projects else { continue }
            for name in projects.keys.sorted() where projects[name]?.pause?.isResuming ?? false {
                guard var partition = partitions.removeValue(forKey: number) else { continue }
                defer { partitions[number] = partition }
                try reread(name, number, &partition, &turn)
                return
            }
        }
    }

    public func betweenTurnsRefused(_ reason: String) {
        guard let name = rereading.name,
            let pause = partitions.values.lazy.compactMap({ $0.projects[name]?.pause }).first
        else { return }
        let known = rereading.refusals[name]
        let count = known?.next == pause.next && known?.reason == reason ? (known?.count ?? 0) + 1 : 1
        rereading.refusals[name] = (pause.next, count, reason)
        rereading.carefulUntil[name] = pause.next + 2 * Int64(Rereading.portion)
    }

    private func reread(_ name: String, _ number: Int32, _ partition: inout Partition, _ turn: inout Turn) throws {
        guard var project = partition.projects[name], var pause = project.pause else { return }
        defer {
            if project.pause != pause || project.isTouched {
                partition.projects[name] = project
                partition.isTouched = true
                turn.mustCommit = true
            }
        }
        if rereading.name != name { rereading.stop() }
        rereading.name = name
        if rereading.died.contains(name) {
            // Known to the next worker before anything is read.
            rereading.note(name)
            rereading.carefulUntil[name] = pause.next + 2 * Int64(Rereading.portion)
            pause.deaths += 1
            if pause.deaths >= 3 { stopRereading(&pause, "\(pause.deaths) workers died", name, number, &turn) }
            project.pause(pause)
            return
        }
        if let refused = rereading.refusals[name], refused.next == pause.next, refused.count >= 3 {
            rereading.refusals[name] = nil
            stopRereading(&pause, "\(refused.count) times in a row: \(refused.reason)", name, number, &turn)
            project.pause(pause)
            return
        }
        let before = pause.next
        partition.projects[name] = project
        let end = try readOn(name, number, &partition, &turn)
        project = partition.projects[name] ?? project
        pause.next = max(before, end)
        if pause.next > before { pause.deaths = 0 }
        guard pause.next < partition.journalOffset else {
            join(name, number, &project, &turn)
            pause = project.pause ?? pause
            return
        }
        if pause.next > before { project.pause(pause) }
    }

    /// Applies the project's entries of the next portion.
    ///
    /// - Returns: Where it stands then.
    private func readOn(_ name: String, _ number: Int32, _ partition: inout Partition, _ turn: inout Turn) throws
        -> Int64
    {
        var next = partition.projects[name]?.pause?.next ?? 0
        guard next < partition.journalOffset else { return next }
        let reader = try rereading.reader ?? transport.makeReader(topics: [topics[.journal]])
        rereading.reader = reader
        if rereading.position != next { try reader.start([TopicPartition(topics[.journal], number): next]) }
        let maximum = next < rereading.carefulUntil[name] ?? 0 ? 1 : Rereading.portion
        switch try reader.poll(into: rereading.batch, maximum: maximum, timeoutMilliseconds: 20) {
        case .idle: break
        case .endOfPartition(_, let offset): next = min(max(next, offset), partition.journalOffset)
        case .records:
            for (index, record) in rereading.batch.records.enumerated() {
                guard record.offset < partition.journalOffset else {
                    next = partition.journalOffset
                    break
                }
                guard turn.bytes < Rereading.maximumBytes else {
                    // The reader is ahead of us.
                    rereading.position = -1
                    return next
                }
                try rereadEntry(record, index, name, &partition, &turn)
                next = record.offset + 1
            }
        }
        rereading.position = next
        return next
    }

    private func rereadEntry(
        _ record: RecordView,
        _ index: Int,
        _ name: String,
        _ partition: inout Partition,
        _ turn: inout Turn
    ) throws {
        let isOurs = record.key.elementsEqual(name.utf8)
        // What belongs to others was dealt with when they read it; also where it could not be read.
        if !isOurs {
            guard let entry = try? JournalEntry(json: parser.parse(record.value)), entry.project.rawValue == name else {
                return
            }
            return apply(entry, record, name, &partition, &turn)
        }
        guard let entry = try decode(record, index, rereading.batch, &turn) else { return }
        if entry.project.rawValue == name { apply(entry, record, name, &partition, &turn) }
    }

    private func join(_ name: String, _ number: Int32, _ project: inout LoopProject, _ turn: inout Turn) {
        project.pause(nil)
        pauseChanged(name, nil)
        rereading.carefulUntil[name] = nil
        rereading.refusals[name] = nil
        rereading.stop()
        let text = "resumed: every entry of its journal is applied"
        tell(name, Notice(kind: .projectResumed, text: text), "resumed-\(now())", number, &turn)
    }

    private func stopRereading(
        _ pause: inout ProjectPause,
        _ reason: String,
        _ name: String,
        _ number: Int32,
        _ turn: inout Turn
    ) {
        pause.isResuming = false
        pause.deaths = 0
        pause.reason = reason
        pauseChanged(name, pause)
        let text = "paused again at journal offset \(pause.next): \(reason)"
        tell(name, Notice(kind: .projectPaused, text: text), "paused-again-\(now())", number, &turn)
    }
}
